"""Who are the hospital's people?

Table `patients`, one row per person:

    patient_id    the hospital's own person id, P00000001
    name          Chinese name
    resident_id   18-character resident identity number (GB 11643); a few carry a wrong check character (dirty)
    phone         11-digit mobile number
    address       home address, free text
    region_code   six-digit county code (GB/T 2260) of the home; its first two digits are the province
    sex           GB/T 2261.1: 1 male, 2 female
    birth_date    1921-01-01 to 2024-12-31
    insurance     01 urban employee, 02 resident, 03 commercial, 04 public service, 05 poverty relief, 07 self-pay, 99 other

Planted here: the risk of diabetes rises with age and differs by province.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from datasets_synthetic import dirt, names, regions
from datasets_synthetic.codes import INSURANCE, INSURANCE_ADULT, INSURANCE_CHILD
from datasets_synthetic.columns import (
    Column,
    Flags,
    Floats,
    Ints,
    Stream,
    choose,
    constant,
    dates,
    day,
    digits,
    fixed_text,
    joined,
    numbered,
    pick,
    plain_number,
    stream,
)
from datasets_synthetic.resident import Register

LAST_BIRTH = day("2024-12-31")
FIRST_BIRTH = day("1921-01-01")
DECADE = 365.25 * 10
AGE_WEIGHTS = (10, 6, 10, 14, 14, 17, 15, 9, 4, 0.8, 0.2)
"""By ten years of age at the end of 2024."""

RISK_AGES = (0, 15, 25, 35, 45, 55, 65, 75, 85, 104)
RISK = (0.001, 0.004, 0.010, 0.030, 0.075, 0.140, 0.210, 0.250, 0.230, 0.200)
"""Risk of diabetes at these ages in the home province, straight lines between."""

MOBILE = "130131132135136137138139150151152158159166177180186188189199"
"""Prefixes, three digits each."""
ROADS = (
    "人民路",
    "解放路",
    "建设街",
    "和平路",
    "中山路",
    "文化路",
    "新华街",
    "胜利路",
    "长江路",
    "黄河路",
    "青年路",
    "光明街",
)


@dataclass(frozen=True)
class People:
    """A chunk of persons: what the table shows, and what only the generator knows (`diabetic`)."""

    number: Ints
    male: Flags
    birth: Ints
    diabetic: Flags
    insurance: Ints
    bad_id: Flags
    names: names.Names
    table: pa.Table

    @property
    def rows(self) -> int:
        return len(self.number)


def _births(rng: np.random.Generator, rows: int) -> Ints:
    decades = choose(rng, AGE_WEIGHTS, rows) + rng.random(rows)
    return np.maximum(LAST_BIRTH - (decades * DECADE).astype(np.int64), FIRST_BIRTH)


def risk(age: Floats, province: Ints) -> Floats:
    return np.interp(age, RISK_AGES, RISK) * regions.load().risk[province]


def _phones(rng: np.random.Generator, rows: int) -> Column:
    prefixes = np.frombuffer(MOBILE.encode("ascii"), dtype=np.uint8).reshape(-1, 3)
    return fixed_text(prefixes[rng.integers(0, len(prefixes), rows)], digits(rng.integers(0, 10**8, rows), 8))


def _addresses(rng: np.random.Generator, home: Ints) -> Column:
    rows = len(home)
    road = pick(ROADS, rng.integers(0, len(ROADS), rows))
    house, block, room = (plain_number(rng.integers(1, top, rows)) for top in (400, 30, 20))
    return joined(pick(regions.load().places, home), road, house, "号", block, "号楼", room, "01室")


def draw(seed: int, chunk: int, first: int, rows: int, register: Register) -> People:
    rng = stream(seed, Stream.PEOPLE, chunk)
    known = regions.load()
    number = np.arange(first, first + rows, dtype=np.int64)
    male = rng.random(rows) < 0.485
    birth = _births(rng, rows)
    home = choose(rng, known.home_weights, rows)
    province = known.province_of_home[home]
    age = (LAST_BIRTH - birth) / 365.25
    diabetic = rng.random(rows) < risk(age, province)
    insurance = np.where(age < 18, choose(rng, INSURANCE_CHILD, rows), choose(rng, INSURANCE_ADULT, rows))
    bad_id = dirt.bad_ids(seed, chunk, rows)
    called = names.draw(rng, male)
    resident = register.issue(rng, regions.birth_region(rng, province, birth), birth, male, bad_id)
    table = pa.table(
        {
            "patient_id": numbered("P", number, 8),
            "name": called.zh(),
            "resident_id": fixed_text(resident),
            "phone": _phones(rng, rows),
            "address": _addresses(rng, home),
            "region_code": fixed_text(digits(known.homes[home], 6)),
            "sex": fixed_text(np.where(male[:, None], constant("1", rows), constant("2", rows))),
            "birth_date": dates(birth),
            "insurance": pick(INSURANCE, insurance),
        }
    )
    return People(number, male, birth, diabetic, insurance, bad_id, called, table)
