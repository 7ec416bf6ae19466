"""Whose run is next: projects take turns, a priority counts within its project."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from enclave.run.queue import Queued, Turn, in_order


def names(*waiting: tuple[str, str, int], had: dict[str, Turn] | None = None) -> list[str]:
    queue = [Queued(run, project, priority, f"{at:04}") for at, (run, project, priority) in enumerate(waiting)]
    return [q.run for q in in_order(queue, had or {})]


def test_one_project_is_served_in_the_order_it_came() -> None:
    assert names(("a1", "a", 0), ("a2", "a", 0), ("a3", "a", 0)) == ["a1", "a2", "a3"]


def test_a_hundred_runs_of_one_project_do_not_delay_the_first_of_another() -> None:
    many = [(f"a{i}", "a", 0) for i in range(100)]
    assert names(*many, ("b1", "b", 0), ("b2", "b", 0))[:4] == ["a0", "b1", "a1", "b2"]


def test_a_priority_counts_among_the_runs_of_its_project_only() -> None:
    assert names(("a1", "a", 0), ("a2", "a", 9), ("b1", "b", 0)) == ["a2", "b1", "a1"]


def test_who_has_runs_in_progress_waits_for_who_has_none() -> None:
    assert names(("a1", "a", 9), ("b1", "b", -9), had={"a": Turn(1, "0001")}) == ["b1", "a1"]


def test_among_equals_goes_first_whose_latest_start_lies_furthest_back() -> None:
    had = {"a": Turn(0, "2026-02"), "b": Turn(0, "2026-01")}
    assert names(("a1", "a", 0), ("b1", "b", 0), ("c1", "c", 0), had=had) == ["c1", "b1", "a1"]


queues = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-9, 9)), max_size=40)


@given(queues)
def test_every_run_is_served_once_and_no_project_twice_while_another_waits_for_its_first(
    queue: list[tuple[str, int]],
) -> None:
    served = names(*[(f"{project}{at}", project, priority) for at, (project, priority) in enumerate(queue)])
    assert sorted(served) == sorted(f"{project}{at}" for at, (project, _) in enumerate(queue))
    projects = {project for project, _ in queue}
    assert {run[0] for run in served[: len(projects)]} == projects
