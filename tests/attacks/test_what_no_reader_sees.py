"""A notebook tells what no reader of its output sees, or hides an identifier behind that. Each attack has its control."""

from __future__ import annotations

import base64
import datetime
import io
import json
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domicile.rules import encode, examine, thresholds
from enclave.errors import BadInput
from enclave.release.files import csv_bytes, parquet_bytes
from enclave.vet import parse

LIMITS = thresholds()
SECRET = "patient-13800138000"


def bundle(table: pa.Table, **changes: Any) -> dict[str, Any]:
    arrow = base64.b64encode(encode(table)).decode()
    return {"format": 1, "kind": "table", "title": "t", "context": "", "answers": ["a"], "arrow": arrow} | changes


def found(table: pa.Table, **changes: Any) -> set[tuple[str, str]]:
    return {(f.rule, f.verdict) for f in examine(bundle(table, **changes), LIMITS)}


def parquet_of(table: pa.Table) -> pa.Table:
    read = parse(json.dumps(bundle(table)), LIMITS).table
    assert read is not None
    return pq.read_table(io.BytesIO(parquet_bytes(read)))


def test_a_nan_carries_nothing() -> None:
    """A NaN has 52 bits beside its name: a page of them is a file in a column that reads `nan`."""
    quiet, words = 0x7FF8_0000_0000_0000, b"secret"
    carriers = np.array([quiet | int.from_bytes(words, "little"), quiet | 1 << 63 | 7], "u8").view("f8")
    hostile = pa.table({"x": pa.array(np.append(carriers, 1.5))})
    naive = pq.read_table(io.BytesIO(parquet_bytes(hostile))).column(0).to_numpy().tobytes()
    assert naive[:6] == words, "the control: the carrier reaches a file written from the cells as they came"
    assert csv_bytes(hostile).decode("utf-8-sig").split() == ["x", "nan", "nan", "1.5"], "and no reader sees it"
    kept = parquet_of(hostile).column(0).to_numpy()
    assert kept.view("u8").tolist() == [quiet, quiet, struct.unpack("<Q", struct.pack("<d", 1.5))[0]]


BLANKS = "\ufe00 \ufe0f \U000e0100 \U000e01ef \u3164 \uffa0 \u115f \u2800 \u034f \u180b \u180f \u17b4 \u200b \U000e0041"
SEEN = "住院 \u2014 \u201c2024\u201d\u3000年 100\u00a0%"


@pytest.mark.parametrize("blank", [*BLANKS.split(" "), "\u1680"])
def test_a_letter_that_shows_nothing_does_not_leave(blank: str) -> None:
    """One of 256 variation selectors behind a letter is a byte of anything; one between digits parts a telephone number."""
    plain = pa.table({"科室": ["心内 é ế ก็ हिन्दी μ²"]})
    assert found(plain, title="住院 — “2024”　年 100\u00a0%", context="a\n\tb") == set(), (
        "the control: marks that are seen stay"
    )
    assert found(pa.table({"d": ["138 0013 8000"]})) == {("identifier", "fail")}
    for smuggled in (
        found(pa.table({"d": [f"138{blank}0013{blank}8000"]})),
        found(plain, title=f"Stay{blank}"),
        found(plain, context=f"{blank}Stay"),
    ):
        assert ("hidden_characters", "fail") in smuggled
    assert ("column_name", "fail") in found(pa.table({f"d{blank}": [1]}))


TYPES = {
    "struct": pa.struct([(SECRET, pa.int64())]),
    "timestamp": pa.timestamp("us", tz=SECRET),
    "map": pa.map_(pa.string(), pa.struct([(SECRET, pa.int8())])),
    "list": pa.list_(pa.field(SECRET, pa.int8())),
    "decimal128": pa.decimal128(13, 8),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_refusal_names_no_type_that_the_jail_named(name: str) -> None:
    """A refusal reaches the researcher though nobody decided on it: what it says is ours, not forty characters of theirs."""
    refused = pa.table({"x": pa.array([None], TYPES[name])})
    assert "13" in str(TYPES[name]), "the control: the type's own text carries it"
    with pytest.raises(BadInput) as said:
        parse(json.dumps(bundle(refused)), LIMITS)
    for lang in ("en", "zh"):
        assert "13" not in said.value.words(lang)
        assert name in said.value.words(lang)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("生日", datetime.date(1951, 2, 3)),
        ("date of birth", datetime.date(1951, 2, 3)),
        ("病历号", 12345678),
        ("medical record number", 12345678.0),
        ("登记号", -12345678),
        ("n", -13800138000),
    ],
)
def test_an_identifier_that_is_no_text_is_looked_at(name: str, cell: object) -> None:
    """The same cells as text are an identifier; as a date or a short or negative number they passed without a look."""
    assert found(pa.table({name: [cell]})) == {("identifier_like", "review")}


def test_dates_and_numbers_that_are_nobodys_pass() -> None:
    plain: dict[str, list[Any]] = {
        "month": [datetime.date(2024, 1, 1)],
        "n": [12345678],
        "delta": [-12345678.0],
        "病历号数": [12345678],
    }
    assert found(pa.table(plain)) == set()
    assert found(pa.table({"病历号": [12, None]})) == set(), "a count is not as long as the number of a record"
