"""What exactly is drawn? A Vega-Lite specification of our own making over a vetted table.

The researcher chose a mark, columns and a title; nothing they wrote is ever a key, a field name, an expression or an
address: columns travel as c0, c1 …, data stand inline, titles are plain strings. So a picture hides nothing that the
table beside it does not show.
"""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

from domicile.rules import Declared, Drawing

FONT = "WenQuanYi Micro Hei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"
_HEIGHT, _WIDTH, _STEP, _MOST_STEPS = 320, 900, 40, 40


def _value(cell: Any) -> str | int | float | bool | None:
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return cell if cell is None or isinstance(cell, str | int | bool) else str(cell)


def _names(drawing: Drawing) -> list[str]:
    wanted = (drawing.x, drawing.y, drawing.color, drawing.error_low, drawing.error_high)
    return list(dict.fromkeys(name for name in wanted if name is not None))


def _kind(column: pa.ChunkedArray[Any], mark: str) -> str:
    """How a column is read along the horizontal axis: bars stand at named places, lines run over a scale."""
    if pa.types.is_date(column.type):
        return "ordinal" if mark == "bar" else "temporal"
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return "ordinal" if mark == "bar" else "quantitative"
    return "nominal"


def specification(declared: Declared, *, stamp: str = "") -> dict[str, Any]:
    """The picture of a declared chart. `stamp` (DEMO) stands under the title."""
    drawing, table = declared.drawing, declared.table
    if drawing is None or table is None:
        raise ValueError("only a chart is drawn")
    names = _names(drawing)
    field = {name: f"c{number}" for number, name in enumerate(names)}
    columns = [[_value(cell) for cell in table.column(name).to_pylist()] for name in names]
    values = [dict(zip(field.values(), row, strict=True)) for row in zip(*columns, strict=True)]
    kind = _kind(table.column(drawing.x), drawing.mark)
    x: dict[str, Any] = {"field": field[drawing.x], "type": kind, "title": drawing.x, "axis": {"labelLimit": 180}}
    if kind in ("nominal", "ordinal"):
        x["sort"] = None  # as in the table
    shared = _shared(drawing, field, x)
    y = {"field": field[drawing.y], "type": "quantitative", "title": drawing.y}
    layers = [{"mark": _mark(drawing.mark), "encoding": {**shared, "y": y}}]
    if drawing.error_low and drawing.error_high:
        low = {"field": field[drawing.error_low], "type": "quantitative", "title": drawing.y}
        encoding = {**shared, "y": low, "y2": {"field": field[drawing.error_high]}}
        layers.append({"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": _dark(encoding, drawing)})
    places = len(set(columns[names.index(drawing.x)]))
    stepped = kind in ("nominal", "ordinal") and places <= _MOST_STEPS
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": declared.title, "subtitle": stamp, "anchor": "start"},
        "data": {"values": values},
        "width": {"step": _STEP} if stepped else _WIDTH,
        "height": _HEIGHT,
        "layer": layers,
        "config": {"font": FONT, "background": "white"},
    }


def _mark(mark: str) -> dict[str, Any]:
    match mark:
        case "point":
            return {"type": mark, "filled": True, "size": 70, "opacity": 1}
        case "line":
            return {"type": mark}
        case _:
            return {"type": mark, "opacity": 0.75}


def _shared(drawing: Drawing, field: dict[str, str], x: dict[str, Any]) -> dict[str, Any]:
    if drawing.color is None:
        return {"x": x}
    by = {"field": field[drawing.color], "type": "nominal", "sort": None}
    color = {**by, "title": drawing.color}
    return {"x": x, "xOffset": by, "color": color} if drawing.mark == "bar" else {"x": x, "color": color}


def _dark(encoding: dict[str, Any], drawing: Drawing) -> dict[str, Any]:
    """Error bars in black over bars and areas, in their own colour beside lines and points."""
    if drawing.color is not None and drawing.mark not in ("bar", "area"):
        return encoding
    kept = {channel: value for channel, value in encoding.items() if channel != "color"}
    if drawing.color is not None and drawing.mark == "area":
        kept["detail"] = {"field": encoding["color"]["field"], "type": "nominal"}
    return kept


def has_han(specification: dict[str, Any]) -> bool:
    """True when some text of the picture needs Han glyphs."""
    return any("\u3400" <= character <= "\u9fff" for character in str(specification))
