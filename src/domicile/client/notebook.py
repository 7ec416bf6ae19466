"""What does a notebook on this machine declare, and does what it is given fit?

The text travels as it is; what is read of it here is what the lint looks at. A file that is no notebook is sent all the
same: the enclave says in one place what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domicile.client.problem import ProblemError, refusal, refused
from domicile.rules.parameters import Schema, Unfit, fitted
from domicile.wire.shapes import MAX_REQUEST

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Notebook:
    """A notebook's name and text, its cells (kind, source), and what it declares (None: nothing; it takes any parameter)."""

    name: str
    text: str
    cells: tuple[tuple[str, str], ...]
    schema: Schema | None

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """The notebook in a file; ProblemError when there is none, or its declarations are not understood."""
        try:
            if not path.is_file():
                raise OSError  # a pipe or a device would be read for ever
            if path.stat().st_size > MAX_REQUEST:
                raise refusal("notebook_too_large", place=str(path), limit=MAX_REQUEST >> 20)
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as missing:
            raise refusal("notebook_unreadable", place=str(path)) from missing
        value = _value(text)
        return cls(path.name, text, tuple(_cells(value)), schema_of(value.get("metadata")))

    def parameters(self, words: Mapping[str, str]) -> dict[str, Any]:
        """Words (`-p name=value`) as the declared types, defaults filled in; where none are declared, guessed."""
        if self.schema is None:
            return {name: guessed(text) for name, text in words.items()}
        return checked(self.schema, words)


def _value(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _cells(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    cells = value.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        source = cell.get("source", "") if isinstance(cell, dict) else ""
        lines = source if isinstance(source, list) else [source]
        if all(isinstance(line, str) for line in lines):
            yield str(cell.get("cell_type")) if isinstance(cell, dict) else "", "".join(lines)


def schema_of(metadata: object) -> Schema | None:
    """What metadata declare; ProblemError when it is not understood."""
    try:
        return Schema.of(metadata)
    except Unfit as unfit:
        raise _as_problem(unfit) from unfit


def checked(schema: Schema | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` as declared; ProblemError naming the first parameter that may not be, before anything leaves this machine."""
    try:
        return fitted(schema, given)
    except Unfit as unfit:
        raise _as_problem(unfit) from unfit


def _as_problem(unfit: Unfit) -> ProblemError:
    return refused(unfit.code, place=unfit.place, **unfit.facts)


def words_of(pairs: list[str] | None) -> dict[str, str]:
    """`name=value` each, as name → text. A pair that is none is refused by its name alone: the rest may be a secret."""
    found = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise refusal("bad_parameter", place=name[:60] if equals else None)
        found[name] = value
    return found


def guessed(value: str) -> Scalar:
    """As papermill reads it: true/false, whole numbers and decimals keep their kind, the rest is text.

    A decimal stays text when writing it as a number would change it, so that no ε is rounded on the way."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if str(number) == value:
            return number
    return value
