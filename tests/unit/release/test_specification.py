"""The specification is ours: nothing a researcher wrote is a key, a field, an expression or an address."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from domicile.rules import Declared, Drawing
from enclave.release.specification import has_han, specification


def declared(mark: str, x: list[Any], *, color: list[str] | None = None, title: str = "Stay") -> Declared:
    count = len(x)
    columns: dict[str, list[Any]] = {"x": x, "y": [1.5] * count, "low": [1.0] * count, "high": [2.0] * count}
    if color is not None:
        columns["c"] = color
    drawing = Drawing(mark, "x", "y", "c" if color is not None else None, "low", "high")
    return Declared("chart", title, "", ("a",), pa.table(columns), drawing)


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | set().union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("mark", ["bar", "line", "point", "area"])
@pytest.mark.parametrize("x", [["a", "b"], [1, 2], [date(2024, 1, 1), date(2024, 2, 1)], [True, False]])
def test_data_stand_inline_under_names_of_ours(mark: str, x: list[Any]) -> None:
    spec = specification(declared(mark, x, color=["m", "f"]))
    assert {"url", "href", "image", "expr", "signal", "transform", "format", "tooltip"}.isdisjoint(keys(spec))
    assert set(spec["data"]) == {"values"} and len(spec["data"]["values"]) == 2
    assert set(spec["data"]["values"][0]) == {"c0", "c1", "c2", "c3", "c4"}
    assert [layer["mark"]["type"] for layer in spec["layer"]] == [mark, "rule"]


def test_what_is_written_in_titles_and_cells_stays_a_string() -> None:
    hostile = '{"expr": "data(1)"}'
    drawn = declared("bar", [hostile, "datum['x']"], title=hostile)
    spec = specification(drawn)
    assert spec["title"]["text"] == hostile
    assert spec["data"]["values"][0]["c0"] == hostile
    assert "expr" not in keys(spec)


def test_what_is_not_finite_is_left_out() -> None:
    table = pa.table({"x": ["a", "b"], "y": [float("nan"), float("inf")]})
    spec = specification(Declared("chart", "t", "", ("a",), table, Drawing("bar", "x", "y")))
    assert [row["c1"] for row in spec["data"]["values"]] == [None, None]
    json.dumps(spec, allow_nan=False)


def test_columns_that_are_not_drawn_do_not_travel() -> None:
    table = pa.table({"x": ["a"], "y": [1.0], "other": ["kept at home"]})
    spec = specification(Declared("chart", "t", "", ("a",), table, Drawing("bar", "x", "y")))
    assert "kept at home" not in json.dumps(spec)


def test_many_bars_do_not_make_a_picture_of_a_mile() -> None:
    assert specification(declared("bar", [str(n) for n in range(5000)]))["width"] == 900


def test_only_a_chart_is_drawn() -> None:
    with pytest.raises(ValueError, match="only a chart"):
        specification(Declared("table", "t", "", ("a",), pa.table({"x": [1]})))


def test_han_is_told_from_latin() -> None:
    assert has_han(specification(declared("bar", ["心内"])))
    assert not has_han(specification(declared("bar", ["CARD"])))
