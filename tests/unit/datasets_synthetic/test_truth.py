"""The figures of truth.json, counted again by other SQL from the files and the dirty list."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

BAD_VISIT = "(SELECT id FROM orphan_visit UNION FROM discharge_before_admission UNION FROM los_out_of_bounds)"
BAD_PERSON = {"figures": "(FROM bad_resident_id)", "figures_bad_id_kept": "(SELECT '')"}

both = pytest.mark.parametrize("section", ["figures", "figures_bad_id_kept"])


def _clean(db: duckdb.DuckDBPyConnection, section: str) -> None:
    """Clean copies c_TABLE; the age band by comparing dates, not by subtracting years."""
    for table in ("patients", "visits", "diagnoses", "labs", "notes"):
        dirty = "" if table == "patients" else f"AND visit_id NOT IN {BAD_VISIT}"
        db.execute(f"CREATE TABLE c_{table} AS FROM {table} WHERE patient_id NOT IN {BAD_PERSON[section]} {dirty}")
    db.execute(
        """ALTER TABLE c_patients ADD COLUMN band INTEGER;
           UPDATE c_patients SET band = (SELECT max(b) * 10 FROM range(0, 11) r(b)
               WHERE b = 0 OR birth_date <= DATE '2025-01-01' - to_years(b::INTEGER * 10))"""
    )


@both
def test_row_and_person_counts_hold(db: duckdb.DuckDBPyConnection, truth: Any, section: str) -> None:
    _clean(db, section)
    for table, rows in truth[section]["rows"].items():
        assert db.execute(f"SELECT count(*) FROM c_{table}").fetchall() == [(rows,)], table
    assert truth[section]["persons"] == truth[section]["rows"]["patients"]
    assert db.execute("SELECT count(DISTINCT patient_id) FROM c_visits").fetchall() == [
        (truth[section]["persons_with_visits"],)
    ]


@both
def test_figures_by_department_hold(db: duckdb.DuckDBPyConnection, truth: Any, section: str) -> None:
    _clean(db, section)
    rows = db.execute(
        """SELECT dept, len(stays), list_sum(stays), fees
           FROM (SELECT dept, list(los_days) AS stays, sum(total_fee)::VARCHAR AS fees FROM c_visits GROUP BY dept)
           ORDER BY 1"""
    ).fetchall()
    told = truth[section]["by_dept"]
    assert rows == [(row["dept"], row["visits"], row["los_sum"], row["fee_sum"]) for row in told]
    assert all(row["los_mean"] == pytest.approx(row["los_sum"] / row["visits"], abs=1e-6) for row in told)


@both
def test_figures_by_department_and_age_hold(db: duckdb.DuckDBPyConnection, truth: Any, section: str) -> None:
    _clean(db, section)
    rows = db.execute(
        """SELECT dept, (SELECT band FROM c_patients p WHERE p.patient_id = c_visits.patient_id), count(*), sum(los_days)
           FROM c_visits GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    assert rows == [
        (row["dept"], row["age_from"], row["visits"], row["los_sum"]) for row in truth[section]["by_dept_and_age_band"]
    ]


@both
@pytest.mark.parametrize(
    ("source", "dx", "told"), [("visits", "main_dx", "diabetes_by_main_dx"), ("diagnoses", "dx", "diabetes_by_any_dx")]
)
@pytest.mark.parametrize(
    ("name", "column", "group"),
    [
        ("by_province", "province", "left(region_code, 2)"),
        ("by_region_code", "region_code", "region_code"),
        ("by_age_band", "age_from", "band"),
    ],
)
def test_diabetes_prevalence_holds(
    db: duckdb.DuckDBPyConnection,
    truth: Any,
    section: str,
    source: str,
    dx: str,
    told: str,
    name: str,
    column: str,
    group: str,
) -> None:
    _clean(db, section)
    rows = db.execute(
        f"""SELECT {group}, count(*), sum((patient_id IN (SELECT patient_id FROM c_{source}
                WHERE left({dx}, 3) IN ('E10', 'E11', 'E12', 'E13', 'E14')))::INTEGER)
            FROM c_patients GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    assert rows == [(row[column], row["persons"], row["diabetic"]) for row in truth[section][told][name]]
    assert all(
        row["prevalence"] == pytest.approx(row["diabetic"] / row["persons"], abs=1e-6)
        for row in truth[section][told][name]
    )


@both
def test_figures_of_the_laboratory_hold(db: duckdb.DuckDBPyConnection, truth: Any, section: str) -> None:
    _clean(db, section)
    rows = db.execute("SELECT item, count(*), sum(value)::VARCHAR FROM c_labs GROUP BY 1 ORDER BY 1").fetchall()
    assert rows == [(row["item"], row["n"], row["value_sum"]) for row in truth[section]["by_lab_item"]]
