"""Which parameters a run may have."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.conftest import Cast

from enclave.errors import BadInput
from enclave.run import Job, Limits, SandboxFiles, Submission, listing, submit
from enclave.run.parameters import check_parameters, spelled

LIMITS = Limits.default(SandboxFiles.find())


@pytest.mark.parametrize("value", ["x", "长", 1, -(2**62), 0.5, True, None, [], [1, "a", None]])
def test_scalars_and_flat_lists_are_taken(value: Any) -> None:
    check_parameters({"name": value})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"a b": 1}, "run.parameter_name"),
        ({"class": 1}, "run.parameter_name"),
        ({"__builtins__": 1}, "run.parameter_name"),
        ({"_x": 1}, "run.parameter_name"),
        ({"x" * 65: 1}, "run.parameter_name"),
        ({"ｘ": 1}, "run.parameter_name"),
        ({"a\nimport os": 1}, "run.parameter_name"),
        ({"x": {"a": 1}}, "run.parameter_type"),
        ({"x": [[1]]}, "run.parameter_type"),
        ({"x": b"bytes"}, "run.parameter_type"),
        ({"x": math.inf}, "run.parameter_not_finite"),
        ({"x": [math.nan]}, "run.parameter_not_finite"),
        ({"x": 2**63}, "run.parameter_integer"),
        ({"x": "a" * 10_001}, "run.parameter_text"),
        ({"x": "\ud800"}, "run.parameter_text"),
        ({"x": [1] * 1001}, "run.parameter_list"),
        ({f"x{n}": 1 for n in range(101)}, "run.parameter_count"),
    ],
)
def test_others_are_refused_by_name(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_parameters(given)
    assert refused.value.code == reason
    assert str(refused.value)


def test_parameters_have_one_spelling() -> None:
    assert spelled({"b": 1, "a": "长"}) == spelled({"a": "长", "b": 1}) == '{"a": "长", "b": 1}'


DECLARING = {"domicile": {"parameters": {"n": {"type": "int", "max": 9}, "deep": {"type": "bool", "default": True}}}}


def handed_in(db: Engine, **parameters: Any) -> Job:
    notebook = json.dumps({"nbformat": 4, "metadata": DECLARING, "cells": []}).encode()
    return submit(db, Submission("prj", "grt", "researcher", "hospital", 1, notebook, parameters), LIMITS)


def test_a_declared_run_is_stored_with_every_parameter_typed(cast: Cast) -> None:
    assert handed_in(cast.db, n="7").parameters == {"n": 7, "deep": True}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"n": "seven"}, "rules.parameter_kind"),
        ({"n": 10}, "rules.parameter_bounds"),
        ({}, "rules.parameter_missing"),
        ({"n": 1, "m": 1}, "rules.parameter_unknown"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_queued_and_on_record(
    cast: Cast, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        handed_in(cast.db, **given)
    assert refused.value.code == code and refused.value.words("zh")
    assert listing(cast.db) == []
    (event,) = cast.events("run.submission_refused")
    assert event["detail"]["code"] == code and event["detail"]["place"]


def test_a_notebook_whose_declaration_is_no_declaration_is_refused(cast: Cast) -> None:
    with pytest.raises(BadInput) as refused:
        notebook = json.dumps({"nbformat": 4, "metadata": {"domicile": {"parameters": 3}}, "cells": []}).encode()
        submit(cast.db, Submission("prj", "grt", "researcher", "hospital", 1, notebook), LIMITS)
    assert refused.value.code == "rules.parameter_declared"
