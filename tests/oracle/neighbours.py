"""Two extracts that differ in one person, and what the whole path does on both when the noise is frozen.

Every mechanism is a `Measurement` of the kernel, whatever module of ours calls it: its inputs are recorded on the first
extract and its outputs given again on the second, so that whatever still differs was not paid for.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

from opendp.mod import Measurement
from tests.oracle.extracts import DATASET, DEPTS, DX, KEY, PATIENTS, WARDS, Row, Rows, build, random_rows

from enclave.query.engine import Engine
from enclave.query.price import Priced

NEWCOMER = 10_000
NANO = 10**9


def unhurried(priced: Priced) -> Priced:
    """The same question with time enough on any machine: what is compared is its answer, not its moment."""
    return replace(priced, reply_ms=600_000)


@dataclass
class Record:
    """The calls of the kernel during one question: (measurement, input, output)."""

    calls: list[tuple[Any, list[int], Any]] = field(default_factory=list)


@contextmanager
def recorded(frozen: Record | None = None) -> Iterator[Record]:
    """Records each release of the kernel; with `frozen`, gives that record's outputs instead of drawing."""
    mine, kind = Record(), cast(Any, Measurement)
    release = kind.__call__
    outputs = iter([] if frozen is None else [output for _, _, output in frozen.calls])

    def watched(measurement: Any, arg: Any) -> Any:
        output = release(measurement, arg) if frozen is None else next(outputs)
        mine.calls.append((measurement, arg, output))
        return output

    kind.__call__ = watched
    try:
        yield mine
    finally:
        kind.__call__ = release


def distance(one: list[int], other: list[int], metric: str) -> Fraction:
    """The square of the l2 distance, else the distance itself, in exact integers."""
    steps = [abs(a - b) for a, b in zip(one, other, strict=True)]
    if metric.startswith("L2Distance"):
        return Fraction(sum(s * s for s in steps))
    return Fraction(sum(steps) if metric.startswith("L1Distance") else max(steps, default=0))


def loss(first: Record, second: Record, *, pure: bool = False) -> Fraction:
    """nano-rho, or nano-epsilon, that the two recorded inputs really cost: the kernel's own maps at their true distances."""
    total = Fraction(0)
    for (measurement, one, _), (_, other, _) in zip(first.calls, second.calls, strict=True):
        metric = str(measurement.input_metric)
        apart = distance(one, other, metric)
        if not apart:
            continue
        reach = float(apart) ** 0.5 if metric.startswith("L2Distance") else int(apart)
        paid = Fraction(measurement.map(reach))
        of_epsilon = str(measurement.output_measure).startswith("MaxDivergence")
        assert of_epsilon or not pure, "no mechanism of ρ covers pure ε"
        total += (paid * paid / 2 if of_epsilon and not pure else paid) * NANO
    return total


# --- populations ----------------------------------------------------------------------------------------------------


def newcomer(draw: random.Random, temper: str) -> Rows:
    """One more person, as far out as the dictionary allows."""
    person: Row = {"patient_id": NEWCOMER, "sex": "F", "age": 90, "smoker": True, "balance": -50_000}
    plain: Row = {
        "patient_id": NEWCOMER,
        "dept": "A",
        "ward": "A1",
        "dx": "C50",
        "los_days": 60,
        "change": 9,
        "fee": 5_000_000,
        "admitted_on": dt.date(2024, 12, 31),
        "score": 10**12,
        "urgent": True,
        "finding": "C50.900",
    }
    visits: list[Row] = []
    for at in range({"one row": 1, "absent": 0, "missing": 9}.get(temper, 60)):
        visit = {**plain, "visit_id": 100_000 + at}
        if temper == "spread":
            dept = DEPTS[at % len(DEPTS)]
            visit |= {"dept": dept, "ward": draw.choice([w for w in WARDS if w[0] == dept]), "dx": DX[at % len(DX)]}
            visit |= {"change": draw.choice((-9, 9)), "urgent": draw.choice((True, False))}
        if temper == "missing":
            visit |= dict.fromkeys(("dept", "ward", "dx", "los_days", "change", "fee", "admitted_on", "urgent"))
        visits.append(visit)
    diagnoses: list[Row] = [
        {
            "diagnosis_id": 100_000 + at,
            "visit_id": visit["visit_id"],
            "patient_id": NEWCOMER,
            "code": DX[at % len(DX)],
            "rank": 5,
        }
        for at, visit in enumerate(visits)
        for _ in range(2)
    ]
    return {PATIENTS.name: [person], "visits": visits, "diagnoses": diagnoses}


TEMPERS = ("spread", "piled up", "one row", "missing", "absent")


@dataclass(frozen=True)
class Pair:
    """D and D′."""

    without: Engine
    joined: Engine


@contextmanager
def neighbours(folder: Path, seed: int, persons: int = 8) -> Iterator[Pair]:
    draw = random.Random(seed)
    rows = random_rows(persons, seed)
    more = newcomer(draw, TEMPERS[seed % len(TEMPERS)])
    both = {name: [*mine, *more[name]] for name, mine in rows.items()}
    for mine in both.values():
        draw.shuffle(mine)  # how rows lie in the file is no part of what is claimed
    engines = [Engine(build(folder / f"{seed}-{n}.duckdb", DATASET, r), KEY) for n, r in enumerate((rows, both))]
    try:
        yield Pair(*engines)
    finally:
        for engine in engines:
            engine.settle()
            engine.close()
