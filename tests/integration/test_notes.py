"""Notes come into an extract without the identifiers in them, each by its own person's rows alone."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic, ward

from enclave.errors import BadInput, Incident
from enclave.intake import prose
from enclave.intake.carried import Earlier
from enclave.intake.extract import Extract, build
from enclave.intake.planned import plan

NOTE = "患者文静于2022-03-02诉头痛，联系电话13812345678。"
WORDS = {"P1": [NOTE, "文静一般情况可。"], "P2": ["文静，余无特殊。"]}
"""`文静` is a word; P1 bears it as a name, P2 does not."""


def _rows() -> clinic.Rows:
    raw = clinic.rows()
    raw["patients"] = [clinic.patient(1, name="文静"), clinic.patient(2, name="李建国"), clinic.patient(3)]
    return raw


def _shift(extract: Extract) -> int:
    """By how many days the dates of P1 moved in the tables."""
    visit = next(r for r in clinic.stored(extract, "visits") if r["visit_id"] == clinic.pseudonym("visit", "V1"))
    return int((visit["admitted_on"] - date(2022, 3, 1)).days)


def test_identifiers_are_replaced_by_their_kinds_and_the_persons_own_name_is_known(tmp_path: Path) -> None:
    made = ward.built(tmp_path, _rows(), WORDS)
    assert ward.kept(made, "P1") == ["患者[姓名]于[日期]诉头痛，联系电话[手机号]。", "[姓名]一般情况可。"]
    assert ward.kept(made, "P2") == ["文静，余无特殊。"]  # a word here: P2 is called something else


def test_a_note_depends_on_its_own_persons_rows_alone(tmp_path: Path) -> None:
    """Soundness U6: were the register's names looked for in everybody's notes, P1 would change what is kept of P2."""
    with_, without = _rows(), _rows()
    without["patients"] = without["patients"][1:]
    without["visits"] = [v for v in without["visits"] if v["patient_id"] != "P1"]
    without["diagnoses"] = []
    both = ward.built(tmp_path / "a", with_, WORDS)
    one = ward.built(tmp_path / "b", without, {"P2": WORDS["P2"]})
    assert ward.kept(both, "P2") == ward.kept(one, "P2")


def test_names_of_others_that_still_stand_are_counted_for_the_steward(tmp_path: Path) -> None:
    raw = _rows()
    raw["patients"][2]["name"] = "仝静好"  # a surname that no list of common ones holds
    made = ward.built(tmp_path, raw, {"P1": ["同屋仝静好亦发热。", "余无特殊。"], "P3": ["仝静好好转。"]})
    section = made.report.section("identifiers")
    assert section
    (left,) = [c for c in section.checks if c.code == "left_names"]
    assert (left.failed, left.of) == (1, 3)
    assert ward.kept(made, "P1")[0] == "同屋仝静好亦发热。" and ward.kept(made, "P3") == ["[姓名]好转。"]


def test_stand_ins_hold_across_notes_and_their_dates_move_as_the_tables_do(tmp_path: Path) -> None:
    made = ward.built(tmp_path, _rows(), WORDS, ward.described("surrogate"))
    first, second = ward.kept(made, "P1")
    name, day, phone = re.fullmatch(r"患者(.{2})于([-\d]{10})诉头痛，联系电话(\d{11})。", first).groups()  # type: ignore[union-attr]
    assert name != "文静" and second == f"{name}一般情况可。" and phone.startswith("10")
    assert (date.fromisoformat(day) - date(2022, 3, 2)).days == _shift(made)


def test_the_same_rows_and_key_give_the_same_extract_and_another_key_another(tmp_path: Path) -> None:
    d = ward.described("surrogate")
    made = [ward.built(tmp_path / name, _rows(), WORDS, d, key) for name, key in (("a", b"k" * 32), ("b", b"k" * 32))]
    other = ward.built(tmp_path / "c", _rows(), WORDS, d, b"q" * 32)
    assert made[0].digest == made[1].digest != other.digest
    assert ward.kept(made[0], "P1", b"k" * 32)[1] != ward.kept(other, "P1", b"q" * 32)[1]


def test_an_empty_note_stays_empty_and_a_missing_one_missing(tmp_path: Path) -> None:
    made = ward.built(tmp_path, _rows(), {"P1": ["", "   ", NOTE]})
    texts = [row["text"] for row in clinic.stored(made, "notes")]
    assert sorted(map(str, texts)) == sorted(["None", "   ", "患者[姓名]于[日期]诉头痛，联系电话[手机号]。"])


def test_what_was_found_is_told_by_kind(tmp_path: Path) -> None:
    made = ward.built(tmp_path, _rows(), WORDS)
    section = made.report.section("identifiers")
    assert section
    found = {c.code: (c.failed, c.of) for c in section.checks if c.table == "notes" and c.code.startswith("found_")}
    assert found == {"found_name": (2, 3), "found_date": (1, 3), "found_phone": (1, 3)}


def test_a_rehearsal_goes_through_the_notes_too_and_keeps_nothing(tmp_path: Path) -> None:
    source = ward.write(tmp_path / "source", _rows(), WORDS)
    planned = plan(ward.described(), source, tmp_path, pseudonym_key=clinic.KEY)
    assert planned.report and not planned.refusals
    assert {c.code for c in planned.report.checks} >= {"found_name", "found_date", "found_phone"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source"]


def test_a_failure_among_the_notes_says_nothing_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError(NOTE)

    monkeypatch.setattr(prose, "spans_of", broken)
    with pytest.raises(Incident) as failed:
        ward.built(tmp_path, _rows(), WORDS)
    assert failed.value.code == "intake.redaction_failed" and failed.value.__cause__ is None
    assert "文静" not in str(failed.value) and failed.value.facts == {"kind": "ValueError", "table": "notes"}
    assert [p.name for p in (tmp_path / "draft").iterdir()] == ["extract.duckdb"]


def _with_staff(tree: dict[str, Any]) -> None:
    tree["staff"] = [{"path": "doctors", "column": "doctor_name"}]


def test_staff_come_and_go_and_notes_are_gone_through_again(tmp_path: Path) -> None:
    """The raw notes are the same; whose names are looked for in them is not."""
    d, texts = ward.described(edit=_with_staff), {"P1": ["路遥已阅。"], "P2": ["沙明远已阅。"]}
    source = ward.write(tmp_path / "source", _rows(), texts)

    def made(name: str, staff: list[str], earlier: Extract | None = None) -> Extract:
        (source / "doctors.csv").write_text("\n".join(["doctor_id,doctor_name", *(f"1,{n}" for n in staff)]) + "\n")
        (tmp_path / name).mkdir()
        was = earlier and Earlier(
            earlier.path, clinic.FILE_KEY, earlier.standing, earlier.read, earlier.dropped, earlier.report
        )
        return build(
            d, source, tmp_path / name, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY, earlier=was or None
        )

    first = made("a", ["路遥"])
    assert (ward.kept(first, "P1"), ward.kept(first, "P2")) == (["[姓名]已阅。"], ["沙明远已阅。"])
    again = made("b", ["路遥"], first)
    assert "notes" in again.taken_over and again.digest == first.digest
    changed = made("c", ["沙明远"], again)
    assert "notes" not in changed.taken_over and "visits" in changed.taken_over
    assert (ward.kept(changed, "P1"), ward.kept(changed, "P2")) == (["路遥已阅。"], ["[姓名]已阅。"])


def test_staff_that_are_not_there_stop_the_intake(tmp_path: Path) -> None:
    source = ward.write(tmp_path / "source", _rows(), WORDS)
    (tmp_path / "draft").mkdir()
    built = {"pseudonym_key": clinic.KEY, "file_key": clinic.FILE_KEY}
    with pytest.raises(BadInput, match="doctors"):
        build(ward.described(edit=_with_staff), source, tmp_path / "draft", **built)  # type: ignore[arg-type]
    (source / "doctors.csv").write_text("doctor_id\n1\n")
    with pytest.raises(BadInput, match="doctor_name"):
        build(ward.described(edit=_with_staff), source, tmp_path / "draft", **built)  # type: ignore[arg-type]


def test_what_is_looked_for_beside_a_note_is_a_column_of_its_row(tmp_path: Path) -> None:
    def edited(beside: dict[str, str]) -> Any:
        return lambda tree: tree["resources"][-1]["schema"]["fields"][-1].update(beside=beside)

    for column in ("nobody", "text"):
        with pytest.raises(BadInput, match=column):
            ward.described(edit=edited({column: "name"}))
    ward.described(edit=edited({"visit_id": "mrn"}))  # the control
