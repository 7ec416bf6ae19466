"""Each treatment does what its name says, and no treatment looks at another person."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.intake import treatments
from enclave.intake.package import Descriptor


def _person(rows: list[clinic.Row], n: int) -> list[clinic.Row]:
    return [row for row in rows if row["patient_id"] == clinic.pseudonym("person", f"P{n}")]


def _each(folder: Path, *visits: dict[str, str], d: Descriptor | None = None) -> list[clinic.Row]:
    """The stored rows of visits given by what differs in them, each of a person of its own: one build serves all."""
    numbered = list(enumerate(visits, 1))
    raw: clinic.Rows = {
        "patients": [clinic.patient(n) for n, _ in numbered],
        "visits": [clinic.visit(n, n, **changes) for n, changes in numbered],
        "diagnoses": [],
    }
    stored = clinic.stored(clinic.built(folder, raw, d), "visits")
    return [row for n, _ in numbered for row in _person(stored, n)]


def _one(folder: Path, **changes: str) -> clinic.Row:
    """The stored row of one visit."""
    (row,) = _each(folder, changes)
    return row


def test_keys_are_the_hmac_of_their_domain_and_identifier(tmp_path: Path) -> None:
    row = _one(tmp_path)
    assert row["patient_id"] == clinic.pseudonym("person", "P1")
    assert row["visit_id"] == clinic.pseudonym("visit", "V1")


def test_the_same_key_gives_the_same_pseudonyms_and_another_key_others(tmp_path: Path) -> None:
    first = clinic.built(tmp_path / "a", clinic.rows())
    other = clinic.built(tmp_path / "b", clinic.rows(), key=b"q" * 32)
    mine, theirs = clinic.stored(first, "patients"), clinic.stored(other, "patients")
    assert {r["patient_id"] for r in mine}.isdisjoint(r["patient_id"] for r in theirs)


def test_no_raw_identifier_rests_in_the_extract(tmp_path: Path) -> None:
    made = clinic.built(tmp_path, clinic.rows())
    kept = str([clinic.stored(made, t) for t in ("patients", "visits", "diagnoses")])
    assert "Secret" not in kept and "'P1'" not in kept and "370102" not in kept
    names = set(clinic.stored(made, "patients")[0])
    assert "name" not in names


def test_dates_of_a_person_move_together_and_intervals_stay(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["patients"] += [clinic.patient(n) for n in range(10, 60)]
    raw["visits"] += [clinic.visit(n, n) for n in range(10, 60)]
    stored = clinic.stored(clinic.built(tmp_path, raw), "visits")
    assert {r["discharged_on"] - r["admitted_on"] for r in stored} == {date(2022, 3, 5) - date(2022, 3, 1)}
    shifts = {r["patient_id"]: (r["admitted_on"] - date(2022, 3, 1)).days for r in stored}
    assert all(-20 <= days <= 20 for days in shifts.values())
    assert len(set(shifts.values())) > 10


def test_month_and_year_are_parts_of_the_shifted_date(tmp_path: Path) -> None:
    row = _one(tmp_path)
    assert (row["admit_year"], row["admit_month"]) == (row["admitted_on"].year, row["admitted_on"].month)


def test_a_value_is_held_within_its_bounds_or_list(tmp_path: Path) -> None:
    cases: list[tuple[str, str, object]] = [
        ("los_days", "99", 60), ("los_days", "-3", 0), ("los_days", "", None), ("fee", "12.34", 1234), ("fee", "0.1", 10),
        ("fee", "99999", 100_000), ("fee", "-50", -1000), ("fee", "", None), ("dept", "ORTH", None),
        ("dept", "ENDO", "ENDO"), ("main_dx", "E11.900", "E11"), ("main_dx", "Z51.102", "OTHER"), ("main_dx", "", None),
    ]  # fmt: skip
    rows = _each(tmp_path, *({column: given} for column, given, _ in cases))
    found = [
        row["dx_category" if column == "main_dx" else column] for row, (column, _, _) in zip(rows, cases, strict=True)
    ]
    assert found == [kept for *_, kept in cases]


def test_a_number_falls_in_its_band(tmp_path: Path) -> None:
    bands = {"99.99": "<100", "100": "100..500", "500": ">=500", "": None}
    assert [row["fee_band"] for row in _each(tmp_path, *({"fee": fee} for fee in bands))] == list(bands.values())


def _chapter(code: str) -> str | None:
    return next((name for name, first, last in treatments.ICD10_CHAPTERS if first <= code[:3] <= last), None)


def test_a_code_has_its_chapter(tmp_path: Path) -> None:
    codes = ["A00.0", "D48.9", "D50.0", "E90", "H59.1", "H60.0", "T98", "Y98", "Z99.9", "U07.1", "D49", "F99"]
    found = [row["dx_chapter"] for row in _each(tmp_path, *({"main_dx": code} for code in codes))]
    assert found == [_chapter(code) for code in codes]


def test_age_is_in_whole_years_on_the_reference_date(tmp_path: Path) -> None:
    cases = {
        "2007-01-01": (18, "18-59"),
        "2007-01-02": (17, "00-17"),
        "1900-01-01": (90, "60+"),
        "2025-06-01": (0, "00-17"),
        "": (None, None),
    }
    people = [clinic.patient(n, birth_date=born) for n, born in enumerate(cases, 1)]
    raw: clinic.Rows = {"patients": people, "visits": [], "diagnoses": []}
    stored = clinic.stored(clinic.built(tmp_path, raw), "patients")
    found = [(row["age"], row["age_band"]) for n in range(1, len(cases) + 1) for row in _person(stored, n)]
    assert found == list(cases.values())


def test_a_derived_flag_is_of_the_persons_own_rows(tmp_path: Path) -> None:
    patients = clinic.stored(clinic.built(tmp_path, clinic.rows()), "patients")
    flags = {n: _person(patients, n)[0]["diabetes"] for n in (1, 2, 3)}
    assert flags == {1: True, 2: False, 3: False}


def test_rows_that_fail_a_rule_or_belong_to_nobody_are_left_out_and_counted(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["visits"] += [
        clinic.visit(10, 1, discharged_at="2022-02-01 00:00:00"), clinic.visit(11, 2, los_days="400"), clinic.visit(12, 77),
        clinic.visit(13, 2, discharged_at=""),  # nothing to compare with: it stays
    ]  # fmt: skip
    raw["visits"][-1]["los_days"] = ""
    raw["diagnoses"] += [clinic.diagnosis(10, 10, 1), clinic.diagnosis(11, 1, 2)]  # a dropped visit; another's visit
    made = clinic.built(tmp_path, raw)
    left_out = {rule: n for rule, n in made.dropped["visits"].items() if n}
    assert left_out == {"discharged_at >= admitted_at": 1, "los_days <= 365": 1, "no such person in patients": 1}
    assert made.dropped["diagnoses"]["no such row of the person in visits"] == 2
    assert made.rows["visits"] == 5


NAIVE = """SELECT patient_id, CASE WHEN count(*) OVER (PARTITION BY dept) < 4 THEN 'rare' ELSE dept::VARCHAR END
           FROM extract.main.visits"""


@pytest.mark.parametrize("removed", [1, 2, 3, 20])
def test_u6_removing_one_person_changes_no_other_persons_rows(tmp_path: Path, removed: int) -> None:
    """Control: suppression of rare values, which looks across persons, does change them."""
    raw = clinic.rows()
    raw["patients"] += [clinic.patient(n, sex=str(n % 3)) for n in range(20, 30)]
    raw["visits"] += [clinic.visit(n, n, dept=("NEUR", "ENDO")[n > 22], los_days=str(n)) for n in range(20, 25)]
    raw["diagnoses"].append(clinic.diagnosis(20, 21, 21, dx="E10.1"))
    without = {t: [r for r in rows if r["patient_id"] != f"P{removed}"] for t, rows in raw.items()}
    whole, rest = clinic.built(tmp_path / "whole", raw), clinic.built(tmp_path / "rest", without)
    gone = clinic.pseudonym("person", f"P{removed}")
    for table in ("patients", "visits", "diagnoses"):
        others = [r for r in clinic.stored(whole, table) if r["patient_id"] != gone]
        assert others == clinic.stored(rest, table)
    if removed == 20:  # one of four visits to NEUR: without it the other three become rare
        with clinic.opened(whole.path) as a, clinic.opened(rest.path) as b:
            naive_whole = sorted(r for r in a.execute(NAIVE).fetchall() if r[0] != gone)
            assert naive_whole != sorted(b.execute(NAIVE).fetchall())


def test_no_moment_is_stored_only_dates(tmp_path: Path) -> None:
    rows = clinic.stored(clinic.built(tmp_path, clinic.rows()), "visits")
    assert not any(isinstance(value, datetime) for row in rows for value in row.values())


def test_a_number_is_rounded_to_the_nearest_step_within_its_bounds(tmp_path: Path) -> None:
    kept = {"0": 0, "2": 0, "3": 5, "7": 5, "8": 10, "-9": -5, "-2": 0, "-3": -5, "99": 60, "": None}
    field = {"treatment": "round", "lower": -5, "upper": 60, "step": 5}

    def rounded(tree: dict[str, Any]) -> None:
        changed = clinic.field(tree, "visits", "los_days")
        changed["yields"] = [{"name": "los_days", **field}]
        del changed["treatment"], changed["lower"], changed["upper"], changed["total_clip"]

    rows = _each(tmp_path, *({"los_days": los} for los in kept), d=clinic.parsed(rounded))
    assert [row["los_days"] for row in rows] == list(kept.values())


def test_halves_of_a_step_go_up_and_nothing_is_rounded_twice(tmp_path: Path) -> None:
    kept = {"0.12": 0, "0.13": 25, "1.37": 125, "1.375": 150, "-0.125": 0, "-0.13": -25}
    step = {"treatment": "round", "lower": -10, "upper": 1000, "step": 0.25, "scale": 100, "total_clip": 2000}

    def rounded(tree: dict[str, Any]) -> None:
        clinic.field(tree, "visits", "fee")["yields"] = [{"name": "fee", **step}]

    rows = _each(tmp_path, *({"fee": fee} for fee in kept), d=clinic.parsed(rounded))
    assert [row["fee"] for row in rows] == list(kept.values())
