"""Where do the invented people live, and where were they registered at birth?

`regions.csv` lists county codes of GB/T 2260 with the years in which each was in force. People live under codes in force
today; the first six digits of a resident identity number name a county that existed in the year of birth. Most people
live in the hospital's own province. Provinces differ a little in diabetes risk: a planted effect.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from datasets_synthetic.columns import Floats, Ints, choose, year_of

HOME_PROVINCE = "37"
HOME_SHARE = 0.55
NEAR = {"41": 0.06, "32": 0.06, "13": 0.06, "12": 0.03, "11": 0.03, "34": 0.03}
BORN_ELSEWHERE = 0.2
FIRST_YEAR, LAST_YEAR = 1921, 2024

# People of a young province carry codes of the province it was carved from.
PARENT = {"46": "44", "50": "51"}

NORTH_RISK = 1.25
SOUTH_RISK = 0.85


@dataclass(frozen=True)
class Regions:
    homes: Ints
    home_weights: Floats
    places: tuple[str, ...]
    province_of_home: Ints
    """Position of the province in `provinces`."""
    provinces: tuple[str, ...]
    risk: Floats
    birth_codes: Ints
    """[province, year of birth - FIRST_YEAR, n]: the codes in force, padded with zeros."""
    birth_counts: Ints


def _risk(province: str) -> float:
    """The north eats more wheat and weighs more; the hospital's own province is the reference."""
    if province == HOME_PROVINCE:
        return 1.0
    return NORTH_RISK if province[0] in "126" else SOUTH_RISK


def _in_force(row: dict[str, str], year: int) -> bool:
    return int(row["since"] or 0) <= year <= int(row["until"] or 9999)


def _births(rows: list[dict[str, str]], provinces: tuple[str, ...]) -> tuple[Ints, Ints]:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    codes = np.zeros((len(provinces), len(years), len(rows)), dtype=np.int64)
    counts = np.zeros((len(provinces), len(years)), dtype=np.int64)
    of = {province: [row for row in rows if row["code"][:2] == province] for province in provinces}
    for p, province in enumerate(provinces):
        for y, year in enumerate(years):
            found = [int(row["code"]) for row in of[province] if _in_force(row, year)]
            if not found:
                found = [int(row["code"]) for row in of[PARENT[province]] if _in_force(row, year)]
            codes[p, y, : len(found)] = found
            counts[p, y] = len(found)
    return codes[:, :, : counts.max()], counts


@cache
def load() -> Regions:
    with (Path(__file__).parent / "regions.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    homes = [row for row in rows if not row["until"]]
    provinces = tuple(sorted({row["code"][:2] for row in rows}))
    far = (1 - HOME_SHARE - sum(NEAR.values())) / (len(provinces) - 1 - len(NEAR))
    share = {p: HOME_SHARE if p == HOME_PROVINCE else NEAR.get(p, far) for p in provinces}
    size = {p: sum(row["code"][:2] == p for row in homes) for p in provinces}
    codes, counts = _births(rows, provinces)
    return Regions(
        homes=np.array([int(row["code"]) for row in homes]),
        home_weights=np.array([share[row["code"][:2]] / size[row["code"][:2]] for row in homes]),
        places=tuple(row["place"] for row in homes),
        province_of_home=np.array([provinces.index(row["code"][:2]) for row in homes]),
        provinces=provinces,
        risk=np.array([_risk(p) for p in provinces]),
        birth_codes=codes,
        birth_counts=counts,
    )


def birth_region(rng: np.random.Generator, province: Ints, birth: Ints) -> Ints:
    """The county code of the register at birth, in force in the year of birth; usually of the province lived in."""
    known = load()
    elsewhere = choose(rng, known.birth_counts[:, -1].astype(np.float64), len(province))
    born_in = np.where(rng.random(len(province)) < BORN_ELSEWHERE, elsewhere, province)
    year = year_of(birth) - FIRST_YEAR
    nth = (rng.random(len(province)) * known.birth_counts[born_in, year]).astype(np.int64)
    return np.asarray(known.birth_codes[born_in, year, nth])
