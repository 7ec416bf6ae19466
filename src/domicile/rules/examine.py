"""May this output leave, as far as text and policy can tell? One function for the lint at home and the gate inside.

Findings are functions of the declared output and the thresholds alone (design §5, lane dp). The rules run as data:
`SHAPE` first, then `CONTENT`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from domicile.rules.bundle import MARKS, Declared, read
from domicile.rules.findings import Malformed, fail, failed, review
from domicile.rules.identifiers import announces_identifier
from domicile.rules.places import findings_of, passages
from domicile.rules.thresholds import Thresholds
from domicile.wire.hidden import hides
from domicile.wire.shapes import Finding


def _lengths(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    if not declared.title.strip():
        yield fail("title_missing", "title")
    for place, text, limit in (
        ("title", declared.title, limits.max_title),
        ("context", declared.context, limits.max_context),
        ("text", declared.text, limits.max_text),
    ):
        if len(text) > limit:
            yield fail("text_over", place, part=place, count=len(text), limit=limit)
    if declared.kind == "text" and not declared.text.strip():
        yield fail("text_empty", "text")


def _hidden(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    for place, text, allowed in (
        ("title", declared.title, ""),
        ("context", declared.context, "\n\t"),
        ("text", declared.text, "\n\t"),
    ):
        if hides(text, allowed):
            yield fail("hidden_characters", place, part=place)


def _origin(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    if declared.kind != "text" and not declared.answers:
        yield fail("answers_missing", "answers")


def _size(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    table = declared.table
    if table is None:
        return
    if not table.num_rows:
        yield fail("empty_table", "table")
    if table.num_rows > limits.max_rows:
        yield fail("rows_over", "table", limit=limits.max_rows)
    if table.num_columns > limits.max_columns:
        yield fail("columns_over", "table", count=table.num_columns, limit=limits.max_columns)


def _columns(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    if declared.table is None:
        return
    names = declared.table.column_names
    for number, name in enumerate(names, 1):
        place = f"column {number}"
        if not name.strip() or len(name) > limits.max_cell or hides(name):
            yield fail("column_name", place, column=number, limit=limits.max_cell)
        elif names.index(name) + 1 != number:
            yield fail("column_twice", place, column=number)
        elif announces_identifier(name):
            yield review("identifier_column", place, column=number)


def _cells(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    for number, column in _texts(declared):
        long = hidden = 0
        for cell in column.unique().to_pylist():
            if cell is not None:
                long += len(cell) > limits.max_cell
                hidden += hides(cell)
        if long:
            yield fail("cell_over", f"column {number}", column=number, limit=limits.max_cell)
        if hidden:
            yield fail("hidden_characters", f"column {number}", part=f"column {number}")


def _texts(declared: Declared) -> Iterator[tuple[int, pa.ChunkedArray[Any]]]:
    if declared.table is not None:
        for number, column in enumerate(declared.table.columns, 1):
            if pa.types.is_string(column.type):
                yield number, column


def _chart(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    drawing, table = declared.drawing, declared.table
    if drawing is None or table is None:
        return
    if drawing.mark not in MARKS:
        yield fail("mark_unknown", "mark", marks=", ".join(MARKS))
    if (drawing.error_low is None) != (drawing.error_high is None):
        yield fail("chart_error_pair", "error_low")
    for place, name in (
        ("x", drawing.x), ("y", drawing.y), ("color", drawing.color),
        ("error_low", drawing.error_low), ("error_high", drawing.error_high),
    ):  # fmt: skip
        if name is None:
            continue
        if table.column_names.count(name) != 1:
            yield fail("chart_column_missing", place, part=place)
        elif place in ("y", "error_low", "error_high") and not _is_number(table.column(name).type):
            yield fail("chart_not_number", place, part=place)
        elif place == "color" and len(table.column(name).unique()) > limits.max_colours:
            yield fail("chart_colours", place, limit=limits.max_colours)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _identifiers(declared: Declared, limits: Thresholds) -> Iterator[Finding]:
    for passage in passages(declared):
        yield from findings_of(passage, passage.hits(), limits)


Rule = Callable[[Declared, Thresholds], Iterator[Finding]]

SHAPE: tuple[Rule, ...] = (_lengths, _size, _origin, _chart)
CONTENT: tuple[Rule, ...] = (_hidden, _columns, _cells, _identifiers)


def examine_declared(declared: Declared, limits: Thresholds) -> list[Finding]:
    """What the rules say of an output that was read; content is looked at only when the shape holds (it bounds the work)."""
    shape = [finding for rule in SHAPE for finding in rule(declared, limits)]
    if failed(shape):
        return shape
    content = (finding for rule in CONTENT for finding in rule(declared, limits))
    return list(dict.fromkeys([*shape, *content]))


def examine(bundle: Mapping[str, Any], limits: Thresholds) -> list[Finding]:
    """What the rules say of a bundle; an empty list: nothing stands in its way here."""
    try:
        return examine_declared(read(bundle, limits), limits)
    except Malformed as broken:
        return list(broken.findings)
