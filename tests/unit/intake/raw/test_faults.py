"""A raw file is taken as declared or not at all, and no complaint repeats what stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.oracle import clinic

from enclave.errors import BadInput, EnclaveError
from enclave.intake.extract import build

SECRET = "Zhang-San-370102"


def _take(folder: Path) -> None:
    (folder / "draft").mkdir()
    build(clinic.parsed(), folder / "source", folder / "draft", pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)


def _refusal(folder: Path) -> EnclaveError:
    with pytest.raises(BadInput) as refused:
        _take(folder)
    for lang in ("en", "zh"):
        assert SECRET not in refused.value.words(lang) + str(refused.value.place)
    assert refused.value.__cause__ is None  # the engine's own words may quote a row
    return refused.value


def _edit(folder: Path, table: str, old: str, new: str) -> Path:
    path = clinic.write_csv(folder / "source", clinic.rows()) / f"{table}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_column_the_descriptor_does_not_name_is_refused_by_name(tmp_path: Path) -> None:
    path = _edit(tmp_path, "visits", "fee", "fee,hiv")
    path.write_text(path.read_text().replace(".50", f".50,{SECRET}"))
    refused = _refusal(tmp_path)
    assert refused.code == "intake.unknown_column"
    assert "hiv" in refused.words()


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    _edit(tmp_path, "visits", "ward", "dept2")
    assert _refusal(tmp_path).code in ("intake.unknown_column", "intake.missing_column")


def test_a_file_without_a_header_is_refused_without_repeating_its_first_row(tmp_path: Path) -> None:
    path = _edit(tmp_path, "patients", "Secret-1", SECRET)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert _refusal(tmp_path).code == "intake.no_header"


@pytest.mark.parametrize(
    "line",
    [f"P9,{SECRET},1", f"P9,{SECRET},1,370102,1960-05-05,more", f'P9,"{SECRET}"x,1,370102,1960-05-05'],
    ids=["too few fields", "too many fields", "a broken quote"],
)
def test_a_malformed_line_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = _edit(tmp_path, "patients", "Secret-1", '"two\nlines"')  # line breaks inside quotes count as lines
    path.write_text(path.read_text() + line + "\n")
    refused = _refusal(tmp_path)
    assert refused.code == "intake.malformed_line"
    assert refused.place == "patients.csv line 6"


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = _edit(tmp_path, "visits", "CARD-01", SECRET)
    path.write_bytes(path.read_bytes().replace(b"Zhang", b"\xd5\xc5"))
    assert _refusal(tmp_path).code == "intake.wrong_encoding"


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [("1960-05-05", SECRET, "birth_date"), ("1960-05-05", "1960-13-05", "birth_date")],
)
def test_a_value_of_another_type_is_refused_with_column_and_lines(
    tmp_path: Path, old: str, new: str, column: str
) -> None:
    _edit(tmp_path, "patients", old, new)
    refused = _refusal(tmp_path)
    assert refused.code == "intake.wrong_value"
    assert refused.facts["column"] == column
    assert refused.facts["lines"] == "2, 3"


@pytest.mark.parametrize("value", ["4.5", "nan", "1e30"])
def test_a_number_that_is_no_whole_number_is_refused(tmp_path: Path, value: str) -> None:
    raw = clinic.rows()
    raw["visits"][2]["los_days"] = value
    clinic.write_csv(tmp_path / "source", raw)
    refused = _refusal(tmp_path)
    assert (refused.code, refused.facts["lines"]) == ("intake.wrong_value", "4")


def test_two_rows_of_one_person_are_refused(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["patients"].append(clinic.patient(1, name=SECRET))
    clinic.write_csv(tmp_path / "source", raw)
    refused = _refusal(tmp_path)
    assert (refused.code, refused.facts["count"]) == ("intake.duplicate_person", 1)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["visits"].append(clinic.visit(1, 2))
    clinic.write_csv(tmp_path / "source", raw)
    assert _refusal(tmp_path).code == "intake.duplicate_key"


def test_a_missing_file_and_two_files_are_refused(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", clinic.rows())
    clinic.write_parquet(source, clinic.rows())
    assert _refusal(tmp_path).code == "intake.two_files"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (clinic.write_csv(tmp_path / "source", clinic.rows()) / "visits.csv").unlink()
    assert _refusal(tmp_path).code == "intake.no_file"


def _parquet(folder: Path, table: str, column: str, values: pa.Array[Any]) -> None:
    path = clinic.write_parquet(folder / "source", clinic.rows()) / f"{table}.parquet"
    read = pq.read_table(path)
    pq.write_table(read.set_column(read.column_names.index(column), column, values), path)


def test_a_parquet_column_of_another_type_is_refused(tmp_path: Path) -> None:
    _parquet(tmp_path, "visits", "los_days", pa.array([SECRET] * 4))
    assert _refusal(tmp_path).code == "intake.wrong_type"


def test_a_parquet_number_out_of_range_is_refused(tmp_path: Path) -> None:
    _parquet(tmp_path, "visits", "fee", pa.array([1.0, float("nan"), 3.0, 1e300]))
    refused = _refusal(tmp_path)
    assert (refused.code, refused.facts["lines"]) == ("intake.wrong_value", "2, 4")


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = clinic.write_parquet(tmp_path / "source", clinic.rows()) / "visits.parquet"
    path.write_bytes(SECRET.encode() * 100)
    assert _refusal(tmp_path).code == "intake.unreadable_file"


def test_a_dropped_table_is_not_even_opened(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", clinic.rows())
    (source / "notes.csv").mkdir()  # reading it would fail
    _take(tmp_path)
