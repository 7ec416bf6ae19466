"""Which parameters may a run have?

Names are Python identifiers; values are JSON scalars or flat lists of them. papermill writes them into a cell behind the
wall; here they are checked, so that a parameter is never code.
"""

from __future__ import annotations

import json
import keyword
import math
from collections.abc import Mapping
from typing import Any

from enclave.errors import BadInput

Scalar = str | int | float | bool | None
Parameter = Scalar | list[Scalar]

MAX_PARAMETERS, MAX_LIST, MAX_TEXT, MAX_INTEGER, MAX_NAME = 100, 1000, 10_000, 1 << 63, 64


def _check_scalar(name: str, value: Any) -> None:
    match value:
        case None | bool():
            return
        case int() if abs(value) >= MAX_INTEGER:
            raise BadInput("run.parameter_integer", place=name)
        case float() if not math.isfinite(value):
            raise BadInput("run.parameter_not_finite", place=name)
        case str() if len(value) > MAX_TEXT or not _is_text(value):
            raise BadInput("run.parameter_text", place=name, expected=MAX_TEXT)
        case int() | float() | str():
            return
        case _:
            raise BadInput("run.parameter_type", place=name)


def _is_text(value: str) -> bool:
    """False for half a surrogate pair: it has no UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """BadInput naming the first parameter that may not be, and why."""
    if len(parameters) > MAX_PARAMETERS:
        raise BadInput("run.parameter_count", found=len(parameters), expected=MAX_PARAMETERS)
    for name, value in parameters.items():
        plain = isinstance(name, str) and name.isascii() and name.isidentifier() and len(name) <= MAX_NAME
        if not plain or keyword.iskeyword(name) or name.startswith("_"):
            raise BadInput("run.parameter_name", place=str(name)[:MAX_NAME])
        if isinstance(value, list):
            if len(value) > MAX_LIST:
                raise BadInput("run.parameter_list", place=name, found=len(value), expected=MAX_LIST)
            for element in value:
                _check_scalar(name, element)
        else:
            _check_scalar(name, value)


def spelled(parameters: Mapping[str, Any]) -> str:
    """The one spelling of `parameters`: it is stored, and an identical re-run is told by it."""
    return json.dumps(dict(parameters), sort_keys=True, ensure_ascii=False, allow_nan=False)
