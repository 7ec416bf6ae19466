"""Does what is handed to a notebook fit what the notebook declares? One function for the laptop and for the enclave.

A notebook declares its parameters in its own metadata, under `domicile.parameters`: name → type, and, as the type has them,
default, bounds, listed values and a description. Text is read as the declared type; nothing is rounded, cut or guessed. A
refusal names the parameter and what was declared, never the value: somebody may have put a secret there.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

Value = str | int | float | bool

MAX_PARAMETERS: Final = 100
MAX_NAME: Final = 64
MAX_TEXT: Final = 10_000
MAX_LISTED: Final = 200
MAX_DESCRIPTION: Final = 500
_LARGEST: Final = 1 << 63

_KEYS: Final = {
    "int": {"min", "max"},
    "float": {"min", "max"},
    "date": {"min", "max"},
    "string": {"max_length"},
    "bool": set[str](),
    "enum": {"values"},
}
"""Type → what its declaration may say beside `type`, `default` and `description`."""

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Unfit(ValueError):
    """A declaration or a value that may not be: `code` names the words, `place` the parameter; no value is in here."""

    def __init__(self, code: str, place: str, **facts: object) -> None:
        super().__init__(f"{code}: {place}")
        self.code, self.place, self.facts = f"rules.{code}", place, facts


def is_plain(name: object) -> bool:
    """True for what a parameter may be called: a plain identifier that is no keyword and hides nothing."""
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isascii() or not name.isidentifier():
        return False
    return not keyword.iskeyword(name) and not name.startswith("_")


@dataclass(frozen=True)
class Parameter:
    """One declared parameter. `default` is None where a value must be given."""

    name: str
    kind: str
    default: Value | None = None
    low: int | float | str | None = None
    high: int | float | str | None = None
    values: tuple[str, ...] = ()
    max_length: int = MAX_TEXT
    description: str = ""

    def fitted(self, given: object) -> Value:
        """`given` as the declared type has it; Unfit when it is none, or lies outside what was declared."""
        value = _READ[self.kind](given)
        if value is None:
            raise Unfit("parameter_kind", self.name, kind=self.kind)
        if self.kind == "enum" and value not in self.values:
            raise Unfit("parameter_listed", self.name, values=", ".join(self.values[:20]))
        if isinstance(value, str) and len(value) > self.max_length:
            raise Unfit("parameter_length", self.name, most=self.max_length)
        if not _between(self.low, value, self.high):
            raise Unfit("parameter_bounds", self.name, low=_end(self.low), high=_end(self.high))
        return value

    def declared(self) -> dict[str, Any]:
        """The declaration, spelled out: what a reviewer reads and what a fingerprint is made of."""
        said: dict[str, Any] = {"type": self.kind, "default": self.default, "min": self.low, "max": self.high}
        said |= {"values": list(self.values) or None, "description": self.description or None}
        said["max_length"] = self.max_length if self.kind == "string" else None
        return {key: value for key, value in said.items() if value is not None}


@dataclass(frozen=True)
class Schema:
    """Everything a notebook declares. A notebook that declares an empty table takes no parameter at all."""

    parameters: Mapping[str, Parameter]

    @classmethod
    def of(cls, metadata: object) -> Schema | None:
        """What a notebook's metadata declare; None when they declare nothing. Unfit when it is not understood."""
        own = metadata.get("domicile") if isinstance(metadata, dict) else None
        declared = own.get("parameters") if isinstance(own, dict) else None
        if declared is None:
            return None
        if not isinstance(declared, dict) or len(declared) > MAX_PARAMETERS:
            raise _misdeclared("", f"name → declaration, at most {MAX_PARAMETERS}")
        return cls({name: _parameter(name, said) for name, said in declared.items()})

    def fitted(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """All parameters as they go to the notebook, defaults filled in; Unfit names the first that may not be."""
        for name in given:
            if name not in self.parameters:
                shown = name if is_plain(name) else "?"
                raise Unfit("parameter_unknown", shown, known=", ".join(self.parameters) or "–")
        ready: dict[str, Value] = {}
        for name, one in self.parameters.items():
            value = one.fitted(given[name]) if name in given else one.default
            if value is None:
                raise Unfit("parameter_missing", name, kind=one.kind)
            ready[name] = value
        return ready

    def declared(self) -> dict[str, Any]:
        """Every declaration, by name."""
        return {name: one.declared() for name, one in sorted(self.parameters.items())}


def fitted(schema: Schema | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` as `schema` has it; unchanged where a notebook declares nothing."""
    return dict(given) if schema is None else schema.fitted(given)


def _misdeclared(place: str, expected: str) -> Unfit:
    return Unfit("parameter_declared", f"metadata.domicile.parameters{place}", expected=expected)


def _parameter(name: object, said: object) -> Parameter:
    """One declaration, checked; its own default and bounds must fit it."""
    if not is_plain(name):
        raise _misdeclared("", "plain names")
    place, name = f".{name}", str(name)
    kind = said.get("type") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(kind, str) or kind not in _KEYS:
        raise _misdeclared(f"{place}.type", " | ".join(_KEYS))
    allowed = {"type", "default", "description", *_KEYS[kind]}
    if not set(said) <= allowed:
        raise _misdeclared(place, ", ".join(sorted(allowed)))
    description, longest = said.get("description", ""), said.get("max_length", MAX_TEXT)
    if not isinstance(description, str) or len(description) > MAX_DESCRIPTION:
        raise _misdeclared(f"{place}.description", f"a text of at most {MAX_DESCRIPTION} characters")
    if type(longest) is not int or not 1 <= longest <= MAX_TEXT:
        raise _misdeclared(f"{place}.max_length", f"1 … {MAX_TEXT}")
    bounds = {key: _READ[kind](said[key]) for key in ("min", "max") if key in said}
    if None in bounds.values() or not _between(bounds.get("min"), bounds.get("max"), None):
        raise _misdeclared(place, f"min <= max, {kind}")
    plain = Parameter(
        name,
        kind,
        low=bounds.get("min"),
        high=bounds.get("max"),
        values=_listed(said.get("values"), place) if kind == "enum" else (),
        max_length=longest,
        description=description,
    )
    if "default" not in said:
        return plain
    try:
        return Parameter(**{**vars(plain), "default": plain.fitted(said["default"])})
    except Unfit as unfit:
        raise _misdeclared(f"{place}.default", f"{kind}, as declared") from unfit


def _listed(values: object, place: str) -> tuple[str, ...]:
    texts = tuple(values) if isinstance(values, list) and all(map(_text, values)) else ()
    if not 1 <= len(texts) <= MAX_LISTED or len(set(texts)) != len(texts):
        raise _misdeclared(f"{place}.values", f"1 … {MAX_LISTED} different texts")
    return texts


def _between(low: Any, value: Any, high: Any) -> bool:
    """Bounds are of the value's own type (ISO dates order as texts)."""
    return value is None or ((low is None or low <= value) and (high is None or value <= high))


def _end(bound: object) -> str:
    return "…" if bound is None else str(bound)


# --- how each type is read: None for what is not of it -----------------------------------------------------------


def _integer(given: object) -> int | None:
    if isinstance(given, str) and _INTEGER.fullmatch(given):
        given = int(given)
    return given if type(given) is int and abs(given) < _LARGEST else None


def _float(given: object) -> float | None:
    if isinstance(given, str) and _DECIMAL.fullmatch(given):
        given = float(given)
    if type(given) is int and abs(given) <= 1 << 53:
        given = float(given)
    return given if isinstance(given, float) and math.isfinite(given) else None


def _truth(given: object) -> bool | None:
    if isinstance(given, str):
        return {"true": True, "false": False}.get(given.lower())
    return given if isinstance(given, bool) else None


def _day(given: object) -> str | None:
    """A day as text: what is injected must be a literal."""
    if type(given) is date:
        return given.isoformat()
    if not isinstance(given, str) or not _DATE.fullmatch(given):
        return None
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        return None


def _text(given: object) -> str | None:
    """A text with a spelling in UTF-8: half a surrogate pair has none."""
    if not isinstance(given, str) or any("\ud800" <= c <= "\udfff" for c in given):
        return None
    return given


_READ: dict[str, Callable[[object], Value | None]] = {
    "int": _integer,
    "float": _float,
    "bool": _truth,
    "date": _day,
    "string": _text,
    "enum": _text,
}
