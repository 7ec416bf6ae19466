"""Which parameters may a run have?

What a notebook declares is what it gets (`fitted`, by the rules the laptop has). Whatever is declared, names are Python
identifiers and values are JSON scalars or flat lists of them: papermill writes them into a cell behind the wall, and here
they are checked, so that a parameter is never code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from domicile.rules import parameters as rules
from enclave.errors import BadInput

Scalar = str | int | float | bool | None
Parameter = Scalar | list[Scalar]

MAX_LIST, MAX_INTEGER = 1000, 1 << 63
MAX_PARAMETERS, MAX_TEXT, MAX_NAME = rules.MAX_PARAMETERS, rules.MAX_TEXT, rules.MAX_NAME


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
        if not rules.is_plain(name):
            raise BadInput("run.parameter_name", place=str(name)[:MAX_NAME])
        if isinstance(value, list):
            if len(value) > MAX_LIST:
                raise BadInput("run.parameter_list", place=name, found=len(value), expected=MAX_LIST)
            for element in value:
                _check_scalar(name, element)
        else:
            _check_scalar(name, value)


def schema_of(metadata: object) -> rules.Schema | None:
    """What a notebook declares in its metadata, None when nothing; BadInput when it is not understood."""
    try:
        return rules.Schema.of(metadata)
    except rules.Unfit as unfit:
        raise BadInput(unfit.code, place=unfit.place, **unfit.facts) from unfit


def fitted(schema: rules.Schema | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` as `schema` has it, defaults filled in; BadInput names the first parameter that may not be, and why."""
    try:
        ready = rules.fitted(schema, given)
    except rules.Unfit as unfit:
        raise BadInput(unfit.code, place=unfit.place, **unfit.facts) from unfit
    check_parameters(ready)
    return ready


def spelled(parameters: Mapping[str, Any]) -> str:
    """The one spelling of `parameters`: it is stored, and an identical re-run is told by it."""
    return json.dumps(dict(parameters), sort_keys=True, ensure_ascii=False, allow_nan=False)
