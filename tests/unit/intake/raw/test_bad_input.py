"""Files as hospitals send them: each fault is named and located, and nothing of what stands there is repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput, EnclaveError
from enclave.intake.extract import Extract, build

SECRET = "张三丰"
Edit = Callable[[dict[str, Any]], object]


def _take(folder: Path, edit: Edit | None = None) -> Extract:
    draft = folder / "draft"
    draft.mkdir(exist_ok=True)
    return build(clinic.parsed(edit), folder / "source", draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)


def _refused(folder: Path, code: str, edit: Edit | None = None) -> EnclaveError:
    with pytest.raises(BadInput) as refused:
        _take(folder, edit)
    told = " ".join(refused.value.words(lang) for lang in ("en", "zh")) + str(refused.value.place)
    assert SECRET not in told and "370102" not in told
    assert refused.value.code == code, told
    return refused.value


def _written(folder: Path, raw: clinic.Rows) -> Path:
    return clinic.write_csv(folder / "source", raw)


def _encoding(encoding: str) -> Edit:
    return lambda tree: clinic.resource(tree, "patients").update(encoding=encoding)


def _patients(folder: Path, encoding: str) -> Path:
    raw = clinic.rows()
    raw["patients"] += [clinic.patient(n, name=SECRET) for n in range(4, 10)]
    path = _written(folder, raw) / "patients.csv"
    path.write_bytes(path.read_text().encode(encoding))
    return path


@pytest.mark.parametrize(
    ("written", "declared"), [("gbk", "utf-8"), ("utf-8", "gbk"), ("utf-8", "gb18030"), ("utf-8-sig", "gb18030")]
)
def test_a_file_in_another_encoding_is_named(tmp_path: Path, written: str, declared: str) -> None:
    _patients(tmp_path, written)
    refused = _refused(tmp_path, "intake.wrong_encoding", _encoding(declared))
    assert refused.facts["declared"] == declared
    assert refused.facts["found"] == ("utf-8" if written != "gbk" else "gb18030")
    _take(tmp_path, _encoding("utf-8" if written != "gbk" else "gbk"))  # the control


@pytest.mark.parametrize("far", [False, True])
def test_a_broken_byte_is_located_by_its_line(tmp_path: Path, far: bool) -> None:
    path = _patients(tmp_path, "gb18030")
    lines = path.read_bytes().split(b"\n")
    if far:  # beyond the first block that is looked at
        filler = [clinic.patient(n, name=SECRET * 20) for n in range(100, 20_000)]
        lines[-1:] = [",".join(row.values()).encode("gb18030") for row in filler] + [b""]
    at = len(lines) - 3
    lines[at] = lines[at].replace(SECRET.encode("gb18030")[:2], b"\xff\xff")
    path.write_bytes(b"\n".join(lines))
    refused = _refused(tmp_path, "intake.wrong_encoding", _encoding("gb18030"))
    assert refused.place == f"patients.csv line {at + 1}"


def test_a_fault_in_an_encoded_file_is_counted_in_its_own_lines(tmp_path: Path) -> None:
    path = _patients(tmp_path, "gb18030")
    path.write_bytes(path.read_bytes().replace(b"P8", b'"P\n8"') + b"P99,1\n")
    assert _refused(tmp_path, "intake.malformed_line", _encoding("gb18030")).place == "patients.csv line 12"


def test_an_empty_file_and_a_table_without_rows_are_named(tmp_path: Path) -> None:
    source = _written(tmp_path, {**clinic.rows(), "visits": [], "diagnoses": []})
    strict = lambda tree: clinic.resource(tree, "visits").update(may_be_empty=False)  # noqa: E731
    assert _refused(tmp_path, "intake.empty_table", strict).place == "visits.csv"
    _take(tmp_path)  # the control: here it may be empty
    (source / "visits.csv").write_bytes(b"")
    assert _refused(tmp_path, "intake.empty_file").place == "visits.csv"


@pytest.mark.parametrize(("old", "new"), [("ward", "dept"), ("ward", "DEPT"), ("name", "Sex")])
def test_a_header_that_names_a_column_twice_is_refused(tmp_path: Path, old: str, new: str) -> None:
    table = "visits" if old == "ward" else "patients"
    path = _written(tmp_path, clinic.rows()) / f"{table}.csv"
    head, rest = path.read_text().split("\n", 1)
    path.write_text(head.replace(old, new) + "\n" + rest)
    assert _refused(tmp_path, "intake.column_twice").place == f"{table}.csv"


@pytest.mark.parametrize("mangled", ["4.4052E+17", "4.40524E+17", "1e+05"])
def test_an_identifier_mangled_by_a_spreadsheet_is_located(tmp_path: Path, mangled: str) -> None:
    raw = clinic.rows()
    raw["visits"][2]["patient_id"] = mangled
    _written(tmp_path, raw)
    refused = _refused(tmp_path, "intake.mangled_number")
    assert (refused.place, refused.facts["column"]) == ("visits.csv line 4", "patient_id")


@pytest.mark.parametrize("honest", ["VE+12", "E11", "1E", "4.4052"])
def test_an_identifier_that_only_looks_a_little_like_a_number_passes(tmp_path: Path, honest: str) -> None:
    raw = clinic.rows()
    for row in (raw["visits"][2], raw["diagnoses"][2]):
        row["visit_id"] = honest
    _written(tmp_path, raw)
    _take(tmp_path)


def _fold(tree: dict[str, Any]) -> None:
    for table, column in (("visits", "patient_id"), ("visits", "los_days")):
        clinic.field(tree, table, column)["fold"] = True


def test_full_width_letters_in_an_identifier_are_refused_or_folded(tmp_path: Path) -> None:
    plain = clinic.built(tmp_path / "plain", clinic.rows())
    raw = clinic.rows()
    raw["visits"][0]["patient_id"], raw["visits"][1]["los_days"] = "Ｐ１", "　４"
    _written(tmp_path, raw)
    both = lambda tree: clinic.field(tree, "visits", "los_days").update(fold=True)  # noqa: E731
    assert _refused(tmp_path, "intake.full_width", both).place == "visits.csv line 2"
    assert _refused(tmp_path, "intake.wrong_value").facts["column"] == "los_days"
    assert _take(tmp_path, _fold).digest == plain.digest


def test_dates_in_three_forms_are_told_by_their_forms(tmp_path: Path) -> None:
    raw = clinic.rows()
    for row, written in zip(raw["patients"], ("05/05/1960", "19600505", "1900-01-01"), strict=True):
        row["birth_date"] = written
    _written(tmp_path, raw)
    refused = _refused(tmp_path, "intake.date_forms")
    assert (refused.place, refused.facts["lines"]) == ("patients.csv line 2", "2, 3")
    assert refused.facts["forms"] == "%Y%m%d: 1, %d/%m/%Y: 1"
    stated = ["%Y-%m-%d", "%Y%m%d", "%d/%m/%Y"]
    read = _take(tmp_path, lambda tree: clinic.field(tree, "patients", "birth_date").update(format=stated))
    assert read.digest == clinic.built(tmp_path / "plain", clinic.rows()).digest


def test_a_date_in_none_of_the_stated_forms_is_located(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["patients"][1]["birth_date"] = "May 1960"
    _written(tmp_path, raw)
    edit = lambda tree: clinic.field(tree, "patients", "birth_date").update(format=["%Y-%m-%d"])  # noqa: E731
    assert _refused(tmp_path, "intake.wrong_value", edit).place == "patients.csv line 3"


def test_words_for_nothing_and_another_delimiter_are_read_where_they_are_stated(tmp_path: Path) -> None:
    raw = clinic.rows()
    for row in raw["visits"]:
        row["ward"] = row["ward"] or "NULL"
    path = _written(tmp_path, raw) / "visits.csv"
    path.write_text(path.read_text().replace(",", "\t"))
    edit = lambda tree: clinic.resource(tree, "visits").update(delimiter="\t", missing=["NULL"])  # noqa: E731
    assert _take(tmp_path, edit).digest == clinic.built(tmp_path / "plain", clinic.rows()).digest
    assert _refused(tmp_path, "intake.no_header")


def test_a_file_of_three_hundred_columns_is_taken_and_its_faults_located(tmp_path: Path) -> None:
    more = [f"f{n}" for n in range(300)]

    def wide(tree: dict[str, Any]) -> None:
        clinic.resource(tree, "visits")["schema"]["fields"] += [
            {"name": name, "type": "integer", "treatment": "clamp", "lower": 0, "upper": 9} for name in more
        ]

    path = _written(tmp_path, clinic.rows()) / "visits.csv"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([",".join([head, *more]), *(line + ",1" * 300 for line in rest)]) + "\n")
    _take(tmp_path, wide)
    path.write_text(path.read_text().removesuffix("1\n") + "1.5\n")
    refused = _refused(tmp_path, "intake.wrong_value", wide)
    assert (refused.place, refused.facts["column"]) == ("visits.csv line 5", "f299")


def test_columns_may_be_named_in_chinese(tmp_path: Path) -> None:
    def renamed(tree: dict[str, Any]) -> None:
        clinic.field(tree, "patients", "name")["name"] = "姓名（拼音）"
        clinic.field(tree, "patients", "sex").update(name="性别", yields=[
            {"name": "sex", "treatment": "keep", "list": "sex", "otherwise": "unknown"}])  # fmt: skip
        for key in ("treatment", "list", "otherwise"):
            clinic.field(tree, "patients", "性别").pop(key)
        clinic.resource(tree, "patients")["rules"] = ["性别 is present"]

    path = _written(tmp_path, clinic.rows()) / "patients.csv"
    path.write_text(path.read_text().replace("name", "姓名（拼音）", 1).replace("sex", "性别", 1))
    assert _take(tmp_path, renamed).digest == clinic.built(tmp_path / "plain", clinic.rows()).digest


def test_what_is_kept_of_a_chinese_column_needs_a_name_of_its_own() -> None:
    with pytest.raises(BadInput) as refused:
        clinic.parsed(lambda tree: clinic.field(tree, "patients", "sex").update(name="性别"))
    assert "`name`" in refused.value.words()
