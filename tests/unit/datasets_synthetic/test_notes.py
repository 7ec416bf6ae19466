"""Notes: the truth file names every planted identifier at its exact place, and nothing else."""

from __future__ import annotations

import re
from collections import Counter

import duckdb

SHAPES = {
    "name": r"[\u4e00-\u9fff]{2,4}|[A-Z][a-zü]+ [A-Z][a-z]+",
    "resident_id": r"\d{17}[\dX]",
    "phone": r"1\d{10}",
    "date": r"\d{4}-\d\d-\d\d|\d{4}年\d{1,2}月\d{1,2}日",
    "mrn": r"MR\d{9}",
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
    marked = {(note, start) for note, _, _, start in _planted(db)}
    for note, text in db.execute("SELECT note_id, text FROM notes").fetchall():
        for kind in ("resident_id", "phone", "date", "mrn"):
            for hit in re.finditer(rf"(?<!\d)(?:{SHAPES[kind]})(?!\d)", text):
                assert (note, hit.start()) in marked, (note, kind)


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


def test_both_languages_are_written_and_some_notes_name_nobody(db: duckdb.DuckDBPyConnection) -> None:
    shares = dict(db.execute("SELECT lang, count(*) / sum(count(*)) OVER () FROM notes GROUP BY 1").fetchall())
    assert 0.65 < shares["zh"] < 0.85 and shares["zh"] + shares["en"] == 1
    assert db.execute("SELECT count(*) > 0 FROM notes ANTI JOIN truth_notes USING (note_id)").fetchall() == [(True,)]
