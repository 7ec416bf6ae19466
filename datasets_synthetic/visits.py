"""When did each person come, to which department, with what, for how long, at what price?

Table `visits`, one row per visit:

    visit_id        V000000001
    patient_id      whose visit; a few name nobody (dirty: orphan)
    mrn             medical record number of the visit, MR and nine digits
    admitted_at     2021-01-01 to 2024-12-31, to the second
    discharged_at   not before admission, except in a few rows (dirty)
    dept            department code (codes.DEPTS)
    ward            department and number, CARD-02
    main_dx         main diagnosis, ICD-10 CN
    los_days        length of stay, 0 to 90 nights; a few rows outside (dirty)
    total_fee       yuan, 50.00 to 500000.00
    payment         who paid, same list as patients.insurance

Skew: 3 visits at the median, 5 on average, 36 at the 99th percentile, 200 at most; half of a person's visits go to the
same department. Planted here: the department drives length of stay and fee, age adds to the stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from datasets_synthetic import codes, dirt
from datasets_synthetic.columns import (
    Column,
    Flags,
    Floats,
    Ints,
    Stream,
    choose_by,
    day,
    hundredths,
    moments,
    numbered,
    pick,
    stream,
)
from datasets_synthetic.dirt import DAY
from datasets_synthetic.people import LAST_BIRTH, People

FIRST_DAY, LAST_DAY = day("2021-01-01"), day("2024-12-31")

MEDIAN_VISITS, SPREAD_VISITS, MOST_VISITS = 3.3, 1.02, 200
SAME_DEPT = 0.5
DIABETIC_TO_ENDO = 0.4
FOUND_AT_FIRST_VISIT = 0.85
DIABETES_IN_ENDO, DIABETES_ELSEWHERE = 0.9, 0.05
SELF_PAID = 0.08

LONGEST_STAY = 90
OLD, CHILD = 65, 15
OLD_STAYS, CHILD_STAYS = 1.2, 0.85
MRN_STRIDE, MRN_FIRST = 7919, 12_345_678
"""No divisor in common with 10⁹: no two visits share a number, and the order of visits does not show in it."""
LEAST_FEE, MOST_FEE = 50_00, 500_000_00


@dataclass(frozen=True)
class Visits:
    """A chunk of visits, in order of admission. `person` is the position in the chunk of people; `stay` is the true one."""

    number: Ints
    person: Ints
    patient_id: Column
    admitted: Ints
    stay: Ints
    dept: Ints
    main_dx: Ints
    dirty: Mapping[str, Ints]
    """Numbers of the dirty visits by kind."""
    table: pa.Table

    @property
    def rows(self) -> int:
        return len(self.number)


def visit_ids(numbers: Ints) -> Column:
    return numbered("V", numbers, 9)


def _persons(rng: np.random.Generator, people: People) -> tuple[Ints, Flags]:
    """Whose visit each row is, and whether it is the first of theirs."""
    drawn = np.exp(np.log(MEDIAN_VISITS) + SPREAD_VISITS * rng.standard_normal(people.rows))
    counts = np.minimum(drawn, MOST_VISITS).astype(np.int64)
    person = np.repeat(np.arange(people.rows), counts)
    return person, np.diff(person, prepend=-1) > 0


def _life(age: Floats, male: Flags) -> Ints:
    """0 child, 1 woman, 2 man: the groups whose departments differ."""
    return np.where(age < CHILD, 0, np.where(male, 2, 1))


def _departments(rng: np.random.Generator, people: People, person: Ints, age: Floats) -> Ints:
    shares = np.array([[getattr(d, life) for d in codes.DEPTS] for life in ("child", "woman", "man")], dtype=np.float64)
    usual = choose_by(rng, shares, _life((LAST_BIRTH - people.birth) / 365.25, people.male))
    to_endo = people.diabetic & (rng.random(people.rows) < DIABETIC_TO_ENDO)
    usual = np.where(to_endo, codes.ENDO, usual)
    life = _life(age, people.male[person])
    anew = choose_by(rng, shares, life)
    stays = (rng.random(len(person)) < SAME_DEPT) & (shares[life, usual[person]] > 0)
    return np.where(stays, usual[person], anew)


def _diagnoses(rng: np.random.Generator, diabetic: Flags, first: Flags, dept: Ints) -> tuple[Ints, Ints]:
    """Department and main diagnosis. Only diabetics are ever given a code of E10 to E14."""
    found = diabetic & first & (rng.random(len(dept)) < FOUND_AT_FIRST_VISIT)
    dept = np.where(found & (rng.random(len(dept)) < 0.6), codes.ENDO, dept)
    usual = np.where(dept == codes.ENDO, DIABETES_IN_ENDO, DIABETES_ELSEWHERE)
    for_diabetes = found | (diabetic & (rng.random(len(dept)) < usual))
    weights, positions = codes.dx_choices(*(d.dx for d in codes.DEPTS), codes.DIABETES)
    line = np.where(for_diabetes, len(codes.DEPTS), dept)
    return dept, positions[line, choose_by(rng, weights, line)]


def _stays(rng: np.random.Generator, dept: Ints, age: Floats) -> Ints:
    mean = np.array([d.stay for d in codes.DEPTS])[dept]
    mean = mean * np.where(age >= OLD, OLD_STAYS, np.where(age < CHILD, CHILD_STAYS, 1.0))
    return np.asarray(np.minimum(np.rint(rng.standard_gamma(2.0, len(dept)) * mean / 2), LONGEST_STAY), dtype=np.int64)


def _fees(rng: np.random.Generator, dept: Ints, stay: Ints) -> Ints:
    """Hundredths of a yuan: lognormal around the department's price, growing with the stay."""
    median = np.array([d.fee for d in codes.DEPTS])[dept] * (1 + 0.22 * stay)
    fee = np.rint(100 * median * np.exp(0.65 * rng.standard_normal(len(dept)))).astype(np.int64)
    return np.asarray(np.clip(fee, LEAST_FEE, MOST_FEE))


def _times(rng: np.random.Generator, birth: Ints) -> Ints:
    """Seconds of admission, never before birth, by day except in the small hours of a few."""
    opening = np.maximum(FIRST_DAY, birth)
    date = opening + (rng.random(len(birth)) * (LAST_DAY + 1 - opening)).astype(np.int64)
    night = rng.random(len(birth)) < 0.1
    second = np.where(night, rng.integers(0, DAY - 60, len(birth)), rng.integers(7 * 3600, 18 * 3600, len(birth)))
    return np.asarray(date * DAY + second)


def _discharges(rng: np.random.Generator, admitted: Ints, stay: Ints) -> Ints:
    """On the last day of the stay: in office hours, or later on the same day."""
    midnight = admitted // DAY * DAY
    office = midnight + stay * DAY + rng.integers(8 * 3600, 17 * 3600, len(stay))
    same_day = admitted + (rng.random(len(stay)) * (midnight + DAY - admitted)).astype(np.int64)
    return np.where(stay > 0, office, same_day)


def _wards(rng: np.random.Generator, dept: Ints) -> Column:
    wards = [f"{code}-{n:02d}" for code in codes.DEPT for n in range(1, codes.WARDS + 1)]
    return pick(wards, dept * codes.WARDS + rng.integers(0, codes.WARDS, len(dept)))


def draw(seed: int, chunk: int, people: People, first_number: int) -> Visits:
    rng = stream(seed, Stream.VISITS, chunk)
    person, first = _persons(rng, people)
    admitted = _times(rng, people.birth[person])
    age = (admitted / DAY - people.birth[person]) / 365.25
    dept, main_dx = _diagnoses(rng, people.diabetic[person], first, _departments(rng, people, person, age))
    stay = _stays(rng, dept, age)
    order = np.lexsort((person, admitted))
    person, admitted, dept, main_dx, stay = (a[order] for a in (person, admitted, dept, main_dx, stay))
    rows = len(person)
    number = np.arange(first_number, first_number + rows, dtype=np.int64)
    discharged, fee = _discharges(rng, admitted, stay), _fees(rng, dept, stay)
    payment = np.where(rng.random(rows) < SELF_PAID, codes.SELF_PAY, people.insurance[person])
    ward = _wards(rng, dept)

    shown = dirt.spoil(seed, chunk, people.number[person], admitted, discharged, stay)
    dirty = {kind: number[flag] for kind, flag in shown.flags.items()}
    table = pa.table(
        {
            "visit_id": visit_ids(number),
            "patient_id": shown.patient_id,
            "mrn": numbered("MR", (number * MRN_STRIDE + MRN_FIRST) % 10**9, 9),
            "admitted_at": moments(admitted),
            "discharged_at": moments(shown.discharged),
            "dept": pick(codes.DEPT, dept),
            "ward": ward,
            "main_dx": pick(codes.DX, main_dx),
            "los_days": pa.array(shown.stay.astype(np.int32)),
            "total_fee": hundredths(fee, 12),
            "payment": pick(codes.INSURANCE, payment),
        }
    )
    return Visits(number, person, shown.patient_id, admitted, stay, dept, main_dx, dirty, table)
