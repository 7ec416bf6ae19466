"""Notes: the truth file names every planted identifier at its exact place, and nothing else."""

from __future__ import annotations

import re
from collections import Counter

import duckdb
from stdnum import luhn
from stdnum.cn import uscc

SHAPES = {
    "name": r"[\u4e00-\u9fff]{2,4}|[A-Z][a-zü]+ [A-Z][a-z]+",
    "resident_id": r"\d{17}[\dX]",
    "old_resident_id": r"\d{15}",
    "phone": r"[1１]\d{10}|1\d\d \d{4} \d{4}",
    "landline": r"0\d{2,3}-\d{8}",
    "date": r"\d{4}-\d\d-\d\d|\d{4}年\d{1,2}月\d{1,2}日|\d{4}/\d\d/\d\d|\d{4}\.\d{1,2}\.\d{1,2}|\d{1,2}月\d{1,2}日"
    r"|[二〇一三四]{4}年[一二三四五六七八九十]+月[一二三四五六七八九十]+日|[A-Z][a-z]+ \d{1,2}, \d{4}",
    "mrn": r"MR\d{9}",
    "address": r"[\u4e00-\u9fff]+\d+号\d+号楼\d+室",
    "bank_card": r"6\d{18}",
    "uscc": r"91\d{6}[0-9A-HJ-NPQRTUWXY]{10}",
    "passport": r"E[A-Z]\d{7}",
    "permit": r"[HM]\d{8}",
    "insurance_no": r"[A-Z]{0,2}\d{10}",
    "email": r"[a-z]+_\d+@[a-z.]+",
    "account": r"[a-z]+_\d+|\d{8,10}",
    "plate": r"[\u4e00-\u9fff][A-Z]D?[A-Z]\d{4}",
}


def _planted(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, int]]:
    found = db.execute(
        """SELECT note_id, kind, text, "start", "end"
           FROM truth_notes JOIN notes USING (note_id) ORDER BY note_id, "start" """
    ).fetchall()
    return [(note, kind, text[start:end], start) for note, kind, text, start, end in found]


def test_every_place_in_the_truth_holds_what_it_says(db: duckdb.DuckDBPyConnection) -> None:
    planted = _planted(db)
    assert set(Counter(kind for _, kind, _, _ in planted)) == set(SHAPES)
    for note, kind, said, _ in planted:
        assert re.fullmatch(SHAPES[kind], said), (note, kind)


def test_no_number_or_date_outside_the_truth_looks_like_one(db: duckdb.DuckDBPyConnection) -> None:
    # a date in full holds a day of a month; a number in full-width digits is one number
    marked = {(note, start) for note, _, _, start in _planted(db)}
    for note, text in db.execute("SELECT note_id, text FROM notes").fetchall():
        for kind in ("resident_id", "phone", "landline", "date", "mrn", "bank_card", "uscc"):
            for hit in re.finditer(rf"(?<![\dA-Z])(?:{SHAPES[kind]})(?![\dA-Z])", text, re.ASCII):
                inside = any((note, start) in marked for start in range(max(0, hit.start() - 5), hit.end()))
                assert inside, (note, kind)


def test_planted_identifiers_are_those_of_the_patient(db: duckdb.DuckDBPyConnection) -> None:
    people = {
        note: (resident, name, text)
        for note, resident, name, text in db.execute(
            """SELECT note_id, resident_id, name, text FROM notes JOIN visits USING (visit_id)
               JOIN patients ON patients.patient_id = notes.patient_id WHERE lang = 'zh'"""
        ).fetchall()
    }
    named = {
        note for note, kind, said, _ in _planted(db) if kind == "name" and note in people and said == people[note][1]
    }
    assert len(named) > 0.5 * len(people)
    assert all(
        said == people[note][0] for note, kind, said, _ in _planted(db) if kind == "resident_id" and note in people
    )


def test_numbers_with_a_check_digit_carry_the_right_one(db: duckdb.DuckDBPyConnection) -> None:
    planted = _planted(db)
    cards, codes = ([said for _, kind, said, _ in planted if kind == wanted] for wanted in ("bank_card", "uscc"))
    assert cards and all(luhn.is_valid(card) for card in cards)
    assert codes and all(uscc.is_valid(code) for code in codes)


def test_both_languages_are_written_and_some_notes_name_nobody(db: duckdb.DuckDBPyConnection) -> None:
    shares = dict(db.execute("SELECT lang, count(*) / sum(count(*)) OVER () FROM notes GROUP BY 1").fetchall())
    assert 0.65 < shares["zh"] < 0.85 and shares["zh"] + shares["en"] == 1
    assert db.execute("SELECT count(*) > 0 FROM notes ANTI JOIN truth_notes USING (note_id)").fetchall() == [(True,)]
