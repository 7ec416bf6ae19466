"""Visits, diagnoses and labs: skew, planted effects, and dirt exactly where the list says."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

DIRTY_VISITS = (
    "(SELECT id FROM orphan_visit UNION ALL FROM discharge_before_admission UNION ALL FROM los_out_of_bounds)"
)


def _ids(db: duckdb.DuckDBPyConnection, where: str) -> set[str]:
    return {found for (found,) in db.execute(f"SELECT visit_id FROM visits WHERE {where}").fetchall()}


def test_most_people_come_seldom_and_a_few_very_often(db: duckdb.DuckDBPyConnection) -> None:
    mean, median, p99, most, none = db.execute(
        """SELECT avg(n), median(n), quantile_cont(n, 0.99), max(n), count(*) FILTER (n = 0)
           FROM (SELECT count(visit_id) AS n FROM patients LEFT JOIN visits USING (patient_id) GROUP BY patient_id)"""
    ).fetchall()[0]
    assert 4.4 < mean < 5.7
    assert median == 3
    assert 27 < p99 < 45
    assert 60 < most <= 200
    assert none > 100


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("orphan_visit", "patient_id NOT IN (SELECT patient_id FROM patients)"),
        ("discharge_before_admission", "discharged_at < admitted_at"),
        ("los_out_of_bounds", "los_days NOT BETWEEN 0 AND 90"),
    ],
)
def test_dirty_visits_are_exactly_those_listed(
    db: duckdb.DuckDBPyConnection, dirty: Any, kind: str, wrong: str
) -> None:
    assert _ids(db, wrong) == set(dirty[kind])
    assert 1 <= len(dirty[kind]) <= 40


def test_no_visit_is_dirty_in_two_ways(db: duckdb.DuckDBPyConnection) -> None:
    assert db.execute(f"SELECT count(*) - count(DISTINCT id) FROM {DIRTY_VISITS}").fetchall() == [(0,)]


def test_the_stay_is_the_number_of_nights_in_every_clean_visit(db: duckdb.DuckDBPyConnection) -> None:
    wrong = _ids(db, f"los_days <> discharged_at::DATE - admitted_at::DATE AND visit_id NOT IN {DIRTY_VISITS}")
    assert wrong == set()


def test_visits_lie_within_the_years_and_the_life_of_the_person(db: duckdb.DuckDBPyConnection) -> None:
    assert _ids(db, "admitted_at::DATE NOT BETWEEN '2021-01-01' AND '2024-12-31'") == set()
    born = "SELECT count(*) FROM visits JOIN patients USING (patient_id) WHERE admitted_at::DATE < birth_date"
    assert db.execute(born).fetchall() == [(0,)]


def test_keys_are_unique(db: duckdb.DuckDBPyConnection) -> None:
    keys = "patients.patient_id visits.visit_id visits.mrn diagnoses.diagnosis_id labs.lab_id notes.note_id"
    for table, key in (name.split(".") for name in keys.split()):
        assert db.execute(f"SELECT count(*) - count(DISTINCT {key}) FROM {table}").fetchall() == [(0,)], (table, key)


def test_the_department_drives_the_stay(truth: Any) -> None:
    mean = {row["dept"]: row["los_mean"] for row in truth["figures"]["by_dept"]}
    assert len(mean) == 22
    assert mean["EMER"] < 2 < mean["PED"] < 8 < mean["ORTH"] < 17 < mean["REHA"] < 25


def test_children_alone_go_to_paediatrics_and_women_alone_to_obstetrics(db: duckdb.DuckDBPyConnection) -> None:
    joined = "SELECT count(*) FROM visits JOIN patients USING (patient_id)"
    grown = f"{joined} WHERE dept = 'PED' AND date_sub('day', birth_date, admitted_at::DATE) > 15 * 366"
    assert db.execute(grown).fetchall() == [(0,)]
    assert db.execute(f"{joined} WHERE dept = 'OBGY' AND sex = '1'").fetchall() == [(0,)]


def test_rank_one_is_the_main_diagnosis_and_no_code_repeats(db: duckdb.DuckDBPyConnection) -> None:
    main = """SELECT count(*) FROM visits LEFT JOIN diagnoses d ON d.visit_id = visits.visit_id AND rank = 1
              WHERE dx IS DISTINCT FROM main_dx"""
    assert db.execute(main).fetchall() == [(0,)]
    shape = """SELECT bool_and(n = top AND n = codes)
               FROM (SELECT count(*) n, max(rank) top, count(DISTINCT dx) codes FROM diagnoses GROUP BY visit_id)"""
    assert db.execute(shape).fetchall() == [(True,)]


def test_children_rows_carry_the_person_of_their_visit(db: duckdb.DuckDBPyConnection) -> None:
    for table in ("diagnoses", "labs", "notes"):
        joined = f"SELECT count(*) FROM {table} t LEFT JOIN visits v USING (visit_id)"
        wrong = f"{joined} WHERE t.patient_id IS DISTINCT FROM v.patient_id"
        assert db.execute(wrong).fetchall() == [(0,)], table


def test_glucose_is_higher_in_diabetics(db: duckdb.DuckDBPyConnection) -> None:
    rows = db.execute(
        """SELECT patient_id IN (SELECT patient_id FROM diagnoses WHERE dx[:3] BETWEEN 'E10' AND 'E14'), avg(value)::DOUBLE
           FROM labs WHERE item = 'GLU' GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    (_, without), (_, with_it) = rows
    assert without < 5.8 and with_it > 7.5


def test_labs_are_taken_within_the_stay_and_keep_one_unit_per_item(db: duckdb.DuckDBPyConnection) -> None:
    late = f"""SELECT count(*) FROM labs JOIN visits USING (visit_id) WHERE visit_id NOT IN {DIRTY_VISITS}
               AND (taken_at < admitted_at OR taken_at::DATE > discharged_at::DATE)"""
    assert db.execute(late).fetchall() == [(0,)]
    assert db.execute("SELECT count(DISTINCT item), count(DISTINCT (item, unit)) FROM labs").fetchall() == [(18, 18)]
