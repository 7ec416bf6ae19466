"""The rules one by one, on bundles as `domicile.output` makes them and on bundles nobody would make by accident."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from domicile.rules import Thresholds, encode, examine, failed, read, thresholds

LIMITS = thresholds()


def bundle(table: pa.Table | None = None, **changes: Any) -> dict[str, Any]:
    arrow = base64.b64encode(
        encode(table if table is not None else pa.table({"dept": ["CARD"], "los": [5.5]}))
    ).decode()
    plain = {
        "format": 1,
        "kind": "table",
        "title": "Length of stay",
        "context": "",
        "answers": ["ans_1"],
        "arrow": arrow,
    }
    return plain | changes


def chart(**changes: Any) -> dict[str, Any]:
    table = pa.table({"dept": ["CARD", "NEUR"], "los": [5.5, 6.0], "los_low": [5.0, 5.5], "los_high": [6.0, 6.5]})
    drawing = {"kind": "chart", "mark": "bar", "x": "dept", "y": "los", "color": None}
    return bundle(table) | drawing | {"error_low": "los_low", "error_high": "los_high"} | changes


def text(words: str, **changes: Any) -> dict[str, Any]:
    return {"format": 1, "kind": "text", "title": "A note", "context": "", "answers": [], "text": words} | changes


def rules(value: dict[str, Any], limits: Thresholds = LIMITS) -> set[str]:
    return {finding.rule for finding in examine(value, limits)}


@pytest.mark.parametrize("value", [bundle(), chart(), text("Longer in winter. 冬季更长。")])
def test_an_ordinary_output_has_no_findings(value: dict[str, Any]) -> None:
    assert examine(value, LIMITS) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (bundle(format=2), "format_unknown"),
        (bundle(format=True), "format_unknown"),
        (bundle(kind="image"), "kind_unknown"),
        (bundle(kind=["table"]), "kind_unknown"),
        (bundle(kind="model"), "kind_model"),
        (bundle(title=None), "key_wrong"),
        (bundle(title="half \ud83d"), "hidden_characters"),
        (bundle(answers="ans_1"), "key_wrong"),
        (bundle(answers=[1]), "key_wrong"),
        (bundle(extra=1), "key_foreign"),
        (bundle(arrow=None), "key_wrong"),
        (bundle(arrow="!!"), "not_arrow"),
        (bundle(title="  "), "title_missing"),
        (bundle(title="t" * 201), "text_over"),
        (bundle(context="c" * 2001), "text_over"),
        (bundle(answers=[]), "answers_missing"),
        (bundle(title="a\u202eb"), "hidden_characters"),
        (text("t" * 20_001), "text_over"),
        (text(" "), "text_empty"),
        (text("zero\u200bwidth"), "hidden_characters"),
        (chart(mark="pie"), "mark_unknown"),
        (chart(x="nowhere"), "chart_column_missing"),
        (chart(y="dept"), "chart_not_number"),
        (chart(error_high=None), "chart_error_pair"),
        (chart(color="los", mark="point"), None),
    ],
)
def test_a_rule_names_what_it_saw(value: dict[str, Any], rule: str | None) -> None:
    assert rules(value) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (pa.table({"n": range(5001)}), "rows_over"),
        (pa.table({f"c{n}": [1] for n in range(201)}), "columns_over"),
        (pa.table({"n": pa.array([], pa.int64())}), "empty_table"),
        (pa.table({"t": ["x" * 201]}), "cell_over"),
        (pa.table({"t": ["a\nb"]}), "hidden_characters"),
        (pa.table({"": [1]}), "column_name"),
        (pa.table({"a\u200b": [1]}), "column_name"),
        (pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "column_twice"),
        (pa.table({"patient_id": [1]}), "identifier_column"),
        (pa.table({"n": pa.nulls(3)}), "type_not_allowed"),
        (pa.table({"n": [[1, 2]]}), "type_not_allowed"),
        (pa.table({"n": [{"a": 1}]}), "type_not_allowed"),
        (pa.table({"n": [b"raw"]}), "type_not_allowed"),
        (pa.table({"n": pa.array(["a"]).dictionary_encode()}), "type_not_allowed"),
        (pa.table({"n": pa.array([1], pa.timestamp("s"))}), "type_not_allowed"),
        (pa.table({"n": pa.array(["x"], pa.string_view())}), "type_not_allowed"),
    ],
)
def test_a_table_rule_names_what_it_saw(table: pa.Table, rule: str) -> None:
    assert rules(bundle(table)) == {rule}


def test_the_five_plain_types_pass_whatever_their_width() -> None:
    table = pa.table(
        {
            "small": pa.array([1], pa.int8()),
            "float": pa.array([1.5], pa.float32()),
            "yes": [True],
            "day": [date(2024, 1, 2)],
            "text": pa.array(["x"], pa.large_string()),
        }
    )
    assert examine(bundle(table), LIMITS) == []


def test_a_chart_has_a_limit_of_colours() -> None:
    table = pa.table({"x": range(21), "y": [1.0] * 21, "c": [f"c{n}" for n in range(21)]})
    value = bundle(table) | {"kind": "chart", "mark": "line", "x": "x", "y": "y", "color": "c"}
    assert rules(value) == {"chart_colours"}


def test_a_columns_name_is_the_cue_for_its_cells() -> None:
    assert "identifier" in rules(bundle(pa.table({"姓名": ["张三"]})))
    assert "identifier" in rules(bundle(pa.table({"MRN": ["MR000000123"]})))
    assert rules(bundle(pa.table({"group": ["张三"]}))) == set()


def test_a_resident_number_kept_as_a_number_is_seen() -> None:
    found = [f for f in examine(bundle(pa.table({"n": [440524188001010014]})), LIMITS) if f.verdict == "fail"]
    assert [(f.rule, f.place) for f in found] == [("identifier", "column 1, row 1")]


def test_a_sum_that_looks_like_a_telephone_is_put_before_a_person() -> None:
    found = examine(bundle(pa.table({"fee": [13800138000.0, 5.0]})), LIMITS)
    assert [(f.rule, f.verdict) for f in found] == [("identifier_like", "review")]


def test_the_row_of_a_finding_is_right_beyond_the_first_piece() -> None:
    cells = ["plain words, quite many of them, to fill the piece"] * 500
    cells[321] = "13800138000"
    places = [f.place for f in examine(bundle(pa.table({"note": cells})), LIMITS)]
    assert places == ["column 1, row 322"]


def test_findings_never_hold_the_value() -> None:
    found = examine(bundle(pa.table({"姓名": ["欧阳修"], "tel": ["13800138000"]})), LIMITS)
    assert failed(found)
    assert not any("欧阳修" in f.model_dump_json() or "13800138000" in f.model_dump_json() for f in found)


def test_a_rule_names_at_most_so_many_places() -> None:
    table = pa.table({"tel": [f"138001380{n:02d}" for n in range(60)]})
    assert len(examine(bundle(table), LIMITS)) == LIMITS.max_places


def test_metadata_and_what_lies_under_nulls_do_not_survive_reading() -> None:
    hidden = pa.array([7, 13800138000], pa.int64(), mask=None)
    masked = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), hidden.buffers()[1]])
    table = pa.table({"n": masked}).replace_schema_metadata({"note": "张三 13800138000"})
    declared = read(bundle(table), LIMITS)
    assert declared.table is not None
    assert declared.table.schema.metadata is None
    assert declared.table.column(0).to_pylist() == [7, None]
    assert (13800138000).to_bytes(8, "little") not in encode(declared.table)
