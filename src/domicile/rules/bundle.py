"""What did a notebook declare? The JSON bundle, read strictly into one frozen value (format 1, design §5)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import pyarrow as pa

from domicile.rules.arrow import decode
from domicile.rules.findings import Malformed, fail
from domicile.rules.thresholds import Thresholds

FORMAT: Final = 1
Kind = Literal["table", "chart", "text"]
MARKS: Final = ("bar", "line", "point", "area")

_EVERY = frozenset({"format", "kind", "title", "context", "answers"})
_KEYS: Final = {
    "text": _EVERY | {"text"},
    "table": _EVERY | {"arrow"},
    "chart": _EVERY | {"arrow", "mark", "x", "y", "color", "error_low", "error_high"},
}
_OPTIONAL = frozenset({"color", "error_low", "error_high"})


@dataclass(frozen=True)
class Drawing:
    """How a chart is to be drawn: a mark and the names of columns."""

    mark: str
    x: str
    y: str
    color: str | None = None
    error_low: str | None = None
    error_high: str | None = None


@dataclass(frozen=True)
class Declared:
    """One declared output. `table` is set for tables and charts, `drawing` for charts, `text` for text."""

    kind: Kind
    title: str
    context: str
    answers: tuple[str, ...]
    table: pa.Table | None = field(default=None, compare=False)
    drawing: Drawing | None = None
    text: str = ""


def _text(bundle: Mapping[str, Any], key: str) -> str:
    value = bundle.get(key)
    if not isinstance(value, str):
        raise Malformed(fail("key_wrong", key, key=key))
    try:
        value.encode()
    except UnicodeEncodeError as broken:  # a lone surrogate can be spelled in JSON, and in no file
        raise Malformed(fail("hidden_characters", key, part=key)) from broken
    return value


def _name(bundle: Mapping[str, Any], key: str) -> str | None:
    return None if bundle.get(key) is None else _text(bundle, key)


def _answers(bundle: Mapping[str, Any], limits: Thresholds) -> tuple[str, ...]:
    ids = bundle.get("answers")
    if not isinstance(ids, list) or len(ids) > limits.max_answers:
        raise Malformed(fail("key_wrong", "answers", key="answers"))
    if not all(isinstance(i, str) and len(i) <= 128 and i.isascii() and i.isprintable() for i in ids):
        raise Malformed(fail("key_wrong", "answers", key="answers"))
    return tuple(dict.fromkeys(ids))


def _check_keys(bundle: Mapping[str, Any]) -> Kind:
    if type(bundle.get("format")) is not int or bundle.get("format") != FORMAT:
        raise Malformed(fail("format_unknown", "format"))
    kind = bundle.get("kind")
    if kind == "model":
        raise Malformed(fail("kind_model", "kind"))
    if kind not in ("table", "chart", "text"):
        raise Malformed(fail("kind_unknown", "kind"))
    foreign = sum(key not in _KEYS[kind] for key in bundle)
    if foreign:
        raise Malformed(fail("key_foreign", "bundle", count=foreign, known=", ".join(sorted(_KEYS[kind]))))
    missing = sorted(_KEYS[kind] - _OPTIONAL - set(bundle))
    if missing:
        raise Malformed(fail("key_wrong", missing[0], key=missing[0]))
    return cast(Kind, kind)


def _arrow(bundle: Mapping[str, Any], limits: Thresholds) -> pa.Table:
    text = _text(bundle, "arrow")
    if len(text) > (limits.max_bytes + 2) // 3 * 4 + 4:
        raise Malformed(fail("bytes_over", "arrow", limit=limits.max_bytes))
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as broken:
        raise Malformed(fail("not_arrow", "arrow")) from broken
    return decode(data, limits)


def read(bundle: Mapping[str, Any], limits: Thresholds) -> Declared:
    """The declared output in `bundle`; Malformed for anything that is not exactly one."""
    kind = _check_keys(bundle)
    title, context, answers = _text(bundle, "title"), _text(bundle, "context"), _answers(bundle, limits)
    if kind == "text":
        return Declared(kind, title, context, answers, text=_text(bundle, "text"))
    table = _arrow(bundle, limits)
    if kind == "table":
        return Declared(kind, title, context, answers, table=table)
    drawing = Drawing(
        _text(bundle, "mark"), _text(bundle, "x"), _text(bundle, "y"),
        _name(bundle, "color"), _name(bundle, "error_low"), _name(bundle, "error_high"),
    )  # fmt: skip
    return Declared(kind, title, context, answers, table=table, drawing=drawing)
