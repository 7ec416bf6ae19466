"""Plans become runs: grids, order, names, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domicile.rules.parameters import Schema, Unfit
from domicile.rules.plan import MAX_RUNS, digest_of, expand
from domicile.wire.shapes import BatchForm
from domicile.wire.words import say

AGE = Schema.of({"domicile": {"parameters": {"age": {"type": "int", "max": 120, "default": 0}}}})


def plan(*runs: dict[str, Any], **more: Any) -> BatchForm:
    plain = {"notebook": "a.ipynb", "epsilon": ["0.1"]}
    entries = [{**plain, **run} for run in runs]
    head: dict[str, Any] = {"name": "plan", "project": "prj", "dataset": "hospital", "notebooks": {"a.ipynb": "{}"}}
    return BatchForm.model_validate({**head, "runs": entries, **more})


def steps(form: BatchForm, schema: Schema | None = None) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
    return [(s.name, dict(s.parameters), s.after) for s in expand(form, dict.fromkeys(form.notebooks, schema))]


def test_a_grid_is_one_run_for_each_combination_in_the_order_written() -> None:
    form = plan({"name": "g", "parameters": {"x": 0}, "grid": {"age": [1, 2], "sex": ["m", "f"]}})
    assert steps(form) == [
        ("g[1]", {"x": 0, "age": 1, "sex": "m"}, ()),
        ("g[2]", {"x": 0, "age": 1, "sex": "f"}, ()),
        ("g[3]", {"x": 0, "age": 2, "sex": "m"}, ()),
        ("g[4]", {"x": 0, "age": 2, "sex": "f"}, ()),
    ]


def test_what_follows_a_grid_follows_all_of_it_and_comes_after_it() -> None:
    form = plan(
        {"name": "last", "after": ["g", "first"]},
        {"name": "g", "grid": {"age": [1, 2]}, "after": ["first"]},
        {"name": "first"},
    )
    assert steps(form) == [
        ("first", {}, ()),
        ("g[1]", {"age": 1}, ("first",)),
        ("g[2]", {"age": 2}, ("first",)),
        ("last", {}, ("g[1]", "g[2]", "first")),
    ]


def test_every_run_of_a_grid_is_checked_against_what_the_notebook_declares() -> None:
    assert steps(plan({"name": "g", "grid": {"age": ["1", 2]}}), AGE) == [
        ("g[1]", {"age": 1}, ()),
        ("g[2]", {"age": 2}, ()),
    ]
    with pytest.raises(Unfit) as refused:
        steps(plan({"name": "g", "grid": {"age": [1, 500]}}), AGE)
    assert (refused.value.code, refused.value.place) == ("rules.parameter_bounds", "g[2].age")


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([], "plan_empty"),
        ([{"name": ""}], "plan_name"),
        ([{"name": "a[1]"}], "plan_name"),
        ([{"name": "a\nb"}], "plan_name"),
        ([{"name": "a\u202eb"}], "plan_name"),
        ([{"name": "a" * 49}], "plan_name"),
        ([{"name": "a"}, {"name": "a"}], "plan_twice"),
        ([{"name": "a", "notebook": "b.ipynb"}], "plan_notebook"),
        ([{"name": "a", "after": ["b"]}], "plan_after"),
        ([{"name": "a", "after": ["a"]}], "plan_after"),
        ([{"name": "a", "after": ["b"]}, {"name": "b", "after": ["a"]}], "plan_cycle"),
        ([{"name": "a", "epsilon": ["-1"]}], "plan_epsilon"),
        ([{"name": "a", "epsilon": ["1e9"]}], "plan_epsilon"),
        ([{"name": "a", "epsilon": ["0.1"] * 201}], "plan_epsilon"),
        ([{"name": "a", "grid": {"x": []}}], "plan_grid"),
        ([{"name": "a", "grid": {"x": [1]}, "parameters": {"x": 1}}], "plan_grid"),
        ([{"name": "a", "grid": {f"x{n}": list(range(10)) for n in range(12)}}], "plan_large"),
        ([{"name": f"a{n}"} for n in range(MAX_RUNS + 1)], "plan_large"),
    ],
)
def test_what_is_no_plan_is_refused_where_it_stands(runs: list[dict[str, Any]], code: str) -> None:
    with pytest.raises(Unfit) as refused:
        steps(plan(*runs))
    assert refused.value.code == f"rules.{code}"
    assert say(refused.value.code, "zh", **refused.value.facts)


def test_a_plan_is_told_by_everything_in_it() -> None:
    one = plan({"name": "a", "parameters": {"x": 1}})
    assert digest_of(one) == digest_of(plan({"name": "a", "parameters": {"x": 1}}))
    others = [
        plan({"name": "a", "parameters": {"x": 2}}),
        plan({"name": "a", "parameters": {"x": 1}, "epsilon": ["0.2"]}),
        plan({"name": "a", "parameters": {"x": 1}}, name="again"),
        plan({"name": "a", "parameters": {"x": 1}}, notebooks={"a.ipynb": "{} "}),
        plan({"name": "a", "parameters": {"x": 1}}, dataset="icu"),
        plan({"name": "a", "parameters": {"x": True}}),
    ]
    assert len({digest_of(form) for form in [one, *others]}) == 1 + len(others)


@st.composite
def forests(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Entries in any order, each after some of those that stand before it in a hidden one."""
    count = draw(st.integers(1, 12))
    made = [
        {
            "name": f"n{at}",
            "after": draw(st.lists(st.sampled_from([f"n{b}" for b in range(at)]), unique=True)) if at else [],
        }
        for at in range(count)
    ]
    return draw(st.permutations(made))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(forests())
def test_whatever_follows_comes_after_and_nothing_is_lost(runs: list[dict[str, Any]]) -> None:
    order = steps(plan(*runs))
    seen: set[str] = set()
    for name, _, after in order:
        assert set(after) <= seen
        seen.add(name)
    assert seen == {run["name"] for run in runs} and len(order) == len(runs)
