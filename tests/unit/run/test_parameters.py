"""Which parameters a run may have."""

from __future__ import annotations

import math
from typing import Any

import pytest

from enclave.errors import BadInput
from enclave.run.parameters import check_parameters, spelled


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
