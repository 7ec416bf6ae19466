"""What a notebook declares, and which values fit it: the same function at home and in the enclave."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domicile.rules.parameters import Schema, Unfit, fitted
from domicile.wire.words import say

DECLARED: dict[str, dict[str, Any]] = {
    "age": {"type": "int", "min": 0, "max": 120, "default": 60, "description": "Older than"},
    "share": {"type": "float", "min": 0, "max": 1, "default": 0.5},
    "title": {"type": "string", "max_length": 20, "default": "Stay"},
    "all": {"type": "bool", "default": False},
    "since": {"type": "date", "min": "2020-01-01", "max": "2024-12-31", "default": "2020-01-01"},
    "dept": {"type": "enum", "values": ["内科", "外科"], "default": "内科"},
}


def schema(**declared: Any) -> Schema:
    found = Schema.of({"domicile": {"parameters": declared or DECLARED}})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "given", "ready"),
    [
        ("age", "60", 60),
        ("age", "+007", 7),
        ("age", 0, 0),
        ("share", "0.3", 0.3),
        ("share", "1e-3", 0.001),
        ("share", 1, 1.0),
        ("title", "007", "007"),
        ("title", "", ""),
        ("all", "true", True),
        ("all", "False", False),
        ("all", True, True),
        ("since", "2024-02-29", "2024-02-29"),
        ("since", date(2021, 1, 1), "2021-01-01"),
        ("dept", "外科", "外科"),
    ],
)
def test_text_is_read_as_the_declared_type(name: str, given: Any, ready: Any) -> None:
    found = schema().fitted({name: given})[name]
    assert (found, type(found)) == (ready, type(ready))


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("age", "60.0", "kind"),
        ("age", 60.0, "kind"),
        ("age", True, "kind"),
        ("age", " 60", "kind"),
        ("age", "6_0", "kind"),
        ("age", "٦٠", "kind"),
        ("age", None, "kind"),
        ("age", [60], "kind"),
        ("age", {"a": 1}, "kind"),
        ("age", 121, "bounds"),
        ("age", "-1", "bounds"),
        ("age", 10**30, "kind"),
        ("age", "9" * 5000, "kind"),
        ("share", "nan", "kind"),
        ("share", math.inf, "kind"),
        ("share", "1e999", "kind"),
        ("share", "1.5", "bounds"),
        ("share", True, "kind"),
        ("title", 7, "kind"),
        ("title", "x" * 21, "length"),
        ("title", "\ud800", "kind"),
        ("all", "yes", "kind"),
        ("all", 1, "kind"),
        ("since", "2023-02-29", "kind"),
        ("since", "20230228", "kind"),
        ("since", "2019-12-31", "bounds"),
        ("dept", "儿科", "listed"),
        ("dept", 1, "kind"),
        ("height", 1, "unknown"),
        ("a\nb", 1, "unknown"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name: str, given: Any, code: str) -> None:
    with pytest.raises(Unfit) as refused:
        schema().fitted({name: given})
    assert refused.value.code == f"rules.parameter_{code}"
    assert refused.value.place == (name if name.isidentifier() else "?")
    assert say(refused.value.code, "zh", **refused.value.facts)


def test_a_refusal_holds_no_value() -> None:
    secret = "sk-7d1f90"
    for name in DECLARED:
        with pytest.raises(Unfit) as refused:
            schema().fitted({name: secret * 10})
        assert secret not in f"{refused.value} {refused.value.place} {refused.value.facts}"
    with pytest.raises(Unfit) as refused:
        schema().fitted({f"password={secret}": 1})
    assert secret not in f"{refused.value} {refused.value.place} {refused.value.facts}"


def test_defaults_are_filled_in_and_what_has_none_must_be_given() -> None:
    assert schema().fitted({"age": 61}) == {
        "age": 61, "share": 0.5, "title": "Stay", "all": False, "since": "2020-01-01", "dept": "内科",
    }  # fmt: skip
    with pytest.raises(Unfit) as refused:
        schema(age={"type": "int"}).fitted({})
    assert (refused.value.code, refused.value.place) == ("rules.parameter_missing", "age")


def test_a_notebook_that_declares_nothing_takes_anything_and_one_that_declares_none_takes_none() -> None:
    assert Schema.of({}) is Schema.of(None) is Schema.of({"domicile": {"project": "prj_1"}}) is None
    assert fitted(None, {"x": 1}) == {"x": 1}
    empty = Schema.of({"domicile": {"parameters": {}}})
    assert fitted(empty, {}) == {}
    with pytest.raises(Unfit):
        fitted(empty, {"x": 1})


@pytest.mark.parametrize(
    "declared",
    [
        [],
        {"a b": {"type": "int"}},
        {"class": {"type": "int"}},
        {"_x": {"type": "int"}},
        {"x": "int"},
        {"x": {}},
        {"x": {"type": "integer"}},
        {"x": {"type": ["int"]}},
        {"x": {"type": "int", "min": 3, "max": 2}},
        {"x": {"type": "int", "min": 0.5}},
        {"x": {"type": "int", "min": None}},
        {"x": {"type": "int", "values": ["1"]}},
        {"x": {"type": "int", "default": "sixty"}},
        {"x": {"type": "int", "max": 5, "default": 6}},
        {"x": {"type": "int", "default": None}},
        {"x": {"type": "string", "max_length": 0}},
        {"x": {"type": "string", "max_length": True}},
        {"x": {"type": "string", "pattern": "(a+)+$"}},
        {"x": {"type": "enum"}},
        {"x": {"type": "enum", "values": []}},
        {"x": {"type": "enum", "values": ["a", "a"]}},
        {"x": {"type": "enum", "values": ["a", 1]}},
        {"x": {"type": "enum", "values": [str(n) for n in range(201)]}},
        {"x": {"type": "date", "min": "yesterday"}},
        {"x": {"type": "bool", "min": False}},
        {"x": {"type": "int", "description": 1}},
        {"x": {"type": "int", "description": "x" * 501}},
        {f"x{n}": {"type": "int"} for n in range(101)},
    ],
)
def test_a_declaration_that_is_none_is_refused_where_it_stands(declared: Any) -> None:
    with pytest.raises(Unfit) as refused:
        Schema.of({"domicile": {"parameters": declared}})
    assert refused.value.code == "rules.parameter_declared"
    assert refused.value.place.startswith("metadata.domicile.parameters")
    assert say(refused.value.code, "en", **refused.value.facts)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text(max_size=5), PLAIN, max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*DECLARED, "other"]), JSON, max_size=4))
def test_whatever_passes_is_of_its_declared_type_and_passes_again_unchanged(values: dict[str, Any]) -> None:
    try:
        ready = schema().fitted(values)
    except Unfit:
        return
    assert schema().fitted(ready) == ready
    assert {name: type(value) for name, value in ready.items()} == {
        "age": int, "share": float, "title": str, "all": bool, "since": str, "dept": str,
    }  # fmt: skip
    json.dumps(ready, allow_nan=False).encode()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(JSON)
def test_no_metadata_brings_the_reader_down(metadata: Any) -> None:
    for placed in (metadata, {"domicile": metadata}, {"domicile": {"parameters": {"x": metadata}}}):
        try:
            Schema.of(placed)
        except Unfit as unfit:
            assert say(unfit.code, "zh", **unfit.facts)
