"""How does a researcher declare what may leave?

Each verb builds the bundle of format 1, applies `domicile.rules` at once and shows the result in the notebook. A rule that
would refuse the output at the gate raises `OutputError` here, in words; what a person will have to look at is shown beside
the output.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pyarrow as pa

from domicile.output.shown import Output, shown
from domicile.output.source import Answered, Source, answers_of, table_of
from domicile.rules import FORMAT, Malformed, Thresholds, encode, examine, failed, thresholds
from domicile.wire.shapes import Finding
from domicile.wire.words import preferred_language, say

Mark = Literal["bar", "line", "point", "area"]
Answers = Iterable[Answered | str] | None


class OutputError(ValueError):
    """An output that could not leave; `findings` say which rules forbid it and where."""

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        self.findings = findings
        super().__init__(message)

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> OutputError:
        zh = preferred_language() == "zh"
        return cls("\n".join(f"{f.words_zh if zh else f.words} ({f.place})" for f in findings), findings)


def table(
    source: Source, *, title: str, context: str = "", answers: Answers = None, limits: Thresholds | None = None
) -> Output | None:
    """Declare a table. `answers` names what it came from when neither `source` nor its `attrs` say so."""
    return _declare("table", source, {"title": title, "context": context}, answers, limits)


def chart(
    source: Source,
    *,
    mark: Mark,
    x: str,
    y: str,
    color: str | None = None,
    title: str,
    context: str = "",
    error_low: str | None = None,
    error_high: str | None = None,
    answers: Answers = None,
    limits: Thresholds | None = None,
) -> Output | None:
    """Declare a chart over a table. Error bars are `error_low`/`error_high`, else `<y>_low`/`<y>_high` where they exist."""
    drawing = {"mark": mark, "x": x, "y": y, "color": color, "error_low": error_low, "error_high": error_high}
    return _declare("chart", source, {"title": title, "context": context, **drawing}, answers, limits)


def text(
    words: str, *, title: str, context: str = "", answers: Answers = (), limits: Thresholds | None = None
) -> Output | None:
    """Declare a text of your own."""
    if not isinstance(words, str):
        raise OutputError(say("output.not_text"))
    ids = [a if isinstance(a, str) else a.id for a in answers or ()]
    head = {"format": FORMAT, "kind": "text", "title": title, "context": context, "answers": ids}
    return _checked({**head, "text": words}, None, limits)


def model(*_args: object, **_named: object) -> None:
    """Models cannot leave yet."""
    raise OutputError(say("rules.kind_model"))


def _declare(
    kind: str, source: Source, named: Mapping[str, str | None], answers: Answers, limits: Thresholds | None
) -> Output | None:
    try:
        arrow = table_of(source)
    except Malformed as broken:
        raise OutputError.of(broken.findings) from broken
    except TypeError as broken:
        raise OutputError(say("output.not_table")) from broken
    except pa.ArrowException as broken:
        raise OutputError(say("output.mixed_column")) from broken
    bundle = {
        "format": FORMAT,
        "kind": kind,
        "answers": answers_of(source, answers),
        "arrow": base64.b64encode(encode(arrow)).decode(),
        **(_with_error_bars(named, arrow) if kind == "chart" else named),
    }
    return _checked(bundle, arrow, limits)


def _with_error_bars(named: Mapping[str, str | None], arrow: pa.Table) -> dict[str, str | None]:
    low, high = f"{named['y']}_low", f"{named['y']}_high"
    told = named["error_low"] is not None or named["error_high"] is not None
    if told or low not in arrow.column_names or high not in arrow.column_names:
        return dict(named)
    return {**named, "error_low": low, "error_high": high}


def _checked(bundle: dict[str, Any], arrow: pa.Table | None, limits: Thresholds | None) -> Output | None:
    findings = examine(bundle, limits or thresholds())
    forbidden = failed(findings)
    if forbidden:
        raise OutputError.of(forbidden)
    return shown(Output(bundle, arrow, tuple(findings)))
