"""Askers and engines stand on halves of the processors that are there, and an asker goes back."""

from __future__ import annotations

import os
import threading

import pytest

from enclave.query.processors import for_asker, for_engines, for_interpreter, halves

THERE = frozenset(os.sched_getaffinity(0))

several = pytest.mark.skipif(len(THERE) < 2, reason="one processor has no halves")


@pytest.mark.parametrize(
    ("processors", "askers", "engines"),
    [
        ({0, 1}, {1}, {0}),
        ({3, 5, 9}, {5, 9}, {3}),
        ({8, 1, 4, 2}, {4, 8}, {1, 2}),
        ({7}, {7}, {7}),
    ],
)
def test_processors_are_halved(processors: set[int], askers: set[int], engines: set[int]) -> None:
    assert halves(frozenset(processors)) == (frozenset(askers), frozenset(engines))


@several
def test_an_asker_stands_on_its_half_and_goes_back_even_after_a_failure() -> None:
    askers, _ = halves(THERE)
    with pytest.raises(ValueError, match="engine"), for_asker():
        assert os.sched_getaffinity(0) == askers
        raise ValueError("engine")
    assert os.sched_getaffinity(0) == THERE


@several
def test_a_thread_that_an_engine_starts_stays_on_the_engines_half() -> None:
    _, engines = halves(THERE)
    found: list[set[int]] = []
    look = threading.Event()

    def stands() -> None:
        look.wait()
        found.append(os.sched_getaffinity(0))

    with for_engines():
        thread = threading.Thread(target=stands)
        thread.start()
    look.set()
    thread.join()
    assert found == [engines]
    assert os.sched_getaffinity(0) == THERE


@several
def test_an_interpreter_has_one_processor_and_engines_started_from_it_still_have_theirs() -> None:
    askers, engines = halves(THERE)
    with for_interpreter():
        assert os.sched_getaffinity(0) == {max(askers)}
        with for_engines():
            assert os.sched_getaffinity(0) == engines
        with for_asker():
            assert os.sched_getaffinity(0) == askers
        assert os.sched_getaffinity(0) == {max(askers)}
    assert os.sched_getaffinity(0) == THERE


@several
def test_a_child_that_an_asker_starts_later_stands_anywhere() -> None:
    with for_asker():
        pass
    child = os.posix_spawn("/bin/sleep", ["sleep", "5"], {})
    try:
        assert os.sched_getaffinity(child) == THERE
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


@several
def test_control_a_child_that_is_started_within_stands_on_the_half() -> None:
    with for_asker():
        child = os.posix_spawn("/bin/sleep", ["sleep", "5"], {})
    try:
        assert os.sched_getaffinity(child) == halves(THERE)[0]
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
