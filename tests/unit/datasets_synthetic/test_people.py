"""Patients: valid identity numbers that agree with the person, and the planted risk of diabetes."""

from __future__ import annotations

import datetime
from typing import Any

import duckdb
from stdnum.cn import ric


def test_identity_numbers_are_valid_exactly_where_the_dirty_list_says(
    db: duckdb.DuckDBPyConnection, dirty: Any
) -> None:
    rows = db.execute("SELECT patient_id, resident_id FROM patients").fetchall()
    assert len(rows) == 2000
    assert {person for person, number in rows if not ric.is_valid(number)} == set(dirty["bad_resident_id"])
    assert 1 <= len(dirty["bad_resident_id"]) <= 20


def test_a_wrong_number_is_wrong_in_its_check_character_alone(db: duckdb.DuckDBPyConnection) -> None:
    rows = db.execute(
        "SELECT resident_id FROM patients WHERE patient_id IN (SELECT id FROM bad_resident_id)"
    ).fetchall()
    for (number,) in rows:
        assert ric.is_valid(number[:17] + ric.calc_check_digit(number))


def test_identity_numbers_agree_with_birth_date_and_sex(db: duckdb.DuckDBPyConnection) -> None:
    for number, born, sex in db.execute("SELECT resident_id, birth_date, sex FROM patients").fetchall():
        assert ric.get_birth_date(number) == born
        assert int(number[16]) % 2 == int(sex) % 2
    assert db.execute("SELECT count(DISTINCT resident_id[:17]) FROM patients").fetchall() == [(2000,)]


def test_birth_dates_and_codes_stay_in_their_lists(db: duckdb.DuckDBPyConnection) -> None:
    oldest, youngest = db.execute("SELECT min(birth_date), max(birth_date) FROM patients").fetchall()[0]
    assert datetime.date(1921, 1, 1) <= oldest and youngest <= datetime.date(2024, 12, 31)
    assert db.execute("SELECT DISTINCT sex FROM patients ORDER BY 1").fetchall() == [("1",), ("2",)]
    assert db.execute(
        "SELECT count(*) FROM patients WHERE NOT regexp_full_match(phone, '1[3-9]\\d{9}')"
    ).fetchall() == [(0,)]
    insurance = {code for (code,) in db.execute("SELECT DISTINCT insurance FROM patients").fetchall()}
    assert insurance <= {"01", "02", "03", "04", "05", "07", "99"}


def test_homes_are_counties_of_today_in_many_provinces(db: duckdb.DuckDBPyConnection) -> None:
    codes = [code for (code,) in db.execute("SELECT DISTINCT region_code FROM patients").fetchall()]
    # A number of a child born today in that county is valid only if the county still exists.
    assert all(ric.get_birth_place(f"{code}20241231001X") for code in codes)
    assert len({code[:2] for code in codes}) >= 25


def test_diabetes_rises_with_age(truth: Any) -> None:
    bands = {row["age_from"]: row for row in truth["figures"]["diabetes_by_any_dx"]["by_age_band"]}
    young = sum(bands[age]["diabetic"] for age in (0, 10, 20)) / sum(bands[age]["persons"] for age in (0, 10, 20))
    old = sum(bands[age]["diabetic"] for age in (60, 70)) / sum(bands[age]["persons"] for age in (60, 70))
    assert young < 0.03
    assert 0.12 < old < 0.30
