"""How much do answers tell of who is there? A lower bound of ε, measured through prepare and execute.

Canaries are persons made to be seen: each has a cell of the answers to itself and as much weight in it as anybody may have.
Each is put in with probability one half; the guesser knows everything else, weighs the answers as well as can be, and
guesses on the tenth it finds likeliest in and the tenth it finds likeliest out. If answers are (ε, δ)-private, correct
guesses are no more than Binomial(guesses, e^ε / (1 + e^ε)) up to a slack of δ (one-run auditing, Steinke, Nasr and
Jagielski 2023), so Clopper and Pearson's bound on their share is one on ε.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from tests.oracle.extracts import DATASET, DEPTS, KEY, Row, Rows, build, random_rows
from tests.oracle.neighbours import unhurried

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.answer import execute
from enclave.query.engine import Engine
from enclave.query.mechanisms import NANO, epsilon_of
from enclave.query.price import Priced, prepare

CELLS = [(dept, los, urgent) for dept in DEPTS for los in range(61) for urgent in (False, True)]
SHARE = 0.1
"""Of the canaries, guessed in at one end and out at the other."""

FIRST = 50_000
VISITS_EACH = 9

Cell = tuple[object, ...]
Guess = tuple[int, int]
"""Correct, of how many."""


def canary(at: int) -> Rows:
    dept, los, urgent = CELLS[at]
    person: Row = {"patient_id": FIRST + at, "sex": "M", "age": 90, "smoker": False, "balance": 0}
    visit: Row = {
        "patient_id": FIRST + at,
        "dept": dept,
        "ward": f"{dept}1",
        "dx": "I10",
        "los_days": los,
        "change": 9,
        "fee": 5_000_000,
        "admitted_on": dt.date(2024, 1, 1),
        "score": None,
        "urgent": urgent,
        "finding": None,
    }
    visits = [{**visit, "visit_id": 10**6 + at * VISITS_EACH + n} for n in range(VISITS_EACH)]
    return {"patients": [person], "visits": visits, "diagnoses": []}


def together(parts: Sequence[Rows]) -> Rows:
    return {name: [row for part in parts for row in part[name]] for name in parts[0]}


@dataclass(frozen=True)
class Known:
    """What the guesser knows of one question: what each canary adds to the numbers of its cell (one, or the entries of a
    matrix), and what everybody else adds."""

    priced: Priced
    name: str
    adds: list[float]
    rest: dict[Cell, list[float]]


def known(priced: Priced, name: str, rest: Engine, alone: Engine) -> Known:
    cells = {_cell(priced, at): numbers for at, numbers in enumerate(_by_cell(priced, rest))}
    return Known(priced, name, max(_by_cell(priced, alone), key=lambda numbers: sum(map(abs, numbers))), cells)


def _by_cell(priced: Priced, engine: Engine) -> list[list[float]]:
    (tally,) = (draw.tally for draw in priced.draws)
    unit = WEIGHT_ONE if tally.matrix is None else int(tally.unit)
    totals = engine.totals(priced.statements, priced.plan.keys, 600_000)[0]
    return [[t / unit for t in totals[at : at + tally.size]] for at in range(0, len(totals), tally.size)]


def _cell(priced: Priced, at: int) -> Cell:
    values = []
    for key in reversed(priced.plan.keys):
        at, index = divmod(at, len(key.domain))
        values.append(key.domain[index])
    return tuple(reversed(values))


def guessed(
    folder: Path, questions: Sequence[tuple[str, str]], epsilon: str, seed: int, *, pure: bool = False
) -> tuple[Guess, float]:
    """Correct guesses of one run, and the ε claimed for all its questions together."""
    draw = random.Random(seed)
    inside = [draw.random() < 0.5 for _ in CELLS]
    rest = random_rows(20, seed)
    rows = together([rest, *(canary(at) for at, there in enumerate(inside) if there)])
    engines = [
        Engine(build(folder / f"{seed}-{n}.duckdb", DATASET, made), KEY)
        for n, made in enumerate((rows, rest, canary(0)))
    ]
    told = [known(prepare(sql, DATASET, epsilon, pure=pure), name, *engines[1:]) for sql, name in questions]
    scores: dict[Cell, float] = defaultdict(float)
    for question in told:
        executed = execute(unhurried(question.priced), engines[0])
        assert not executed.incident
        law, several = likelier_of_laplace if pure else likelier, len(question.adds)
        for at, row in enumerate(pa.ipc.open_stream(executed.body).read_all().to_pylist()):
            cell = tuple(row[k.name] for k in question.priced.plan.keys)
            seen = row[question.name] - question.rest[cell][at % several]
            scores[cell] += law(seen, question.adds[at % several], row[f"{question.name}_se"])
    for engine in engines:
        engine.settle()
        engine.close()
    order = sorted(range(len(CELLS)), key=lambda at: scores[CELLS[at]])
    few = round(SHARE * len(CELLS))
    correct = sum(not inside[at] for at in order[:few]) + sum(inside[at] for at in order[-few:])
    if pure:
        return (correct, 2 * few), sum(k.priced.nano_epsilon for k in told) / NANO
    return (correct, 2 * few), epsilon_of(sum(k.priced.rho for k in told), DATASET.delta)


def likelier(seen: float, adds: float, deviation: float) -> float:
    """log P[seen | in] / P[seen | out], under normal noise."""
    return (seen - adds / 2) * adds / deviation**2


def likelier_of_laplace(seen: float, adds: float, deviation: float) -> float:
    """The same under Laplace noise, whose scale is its deviation / √2: never beyond ±adds / scale."""
    return (abs(seen) - abs(seen - adds)) * math.sqrt(2) / deviation


def lower_bound(correct: int, guesses: int, miss: float = 0.05) -> float:
    """The smallest ε under which so many correct guesses are no rarer than `miss`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        low, high = (share, high) if upper_tail(correct, guesses, share) < miss else (low, share)
    return max(0.0, math.log(low / (1 - low))) if 0 < low < 1 else 0.0


def upper_tail(correct: int, guesses: int, share: float) -> float:
    """P[Binomial(guesses, share) ≥ correct]."""
    if not 0 < share < 1:
        return float(share >= 1 or correct == 0)
    logs = [
        math.lgamma(guesses + 1)
        - math.lgamma(k + 1)
        - math.lgamma(guesses - k + 1)
        + k * math.log(share)
        + (guesses - k) * math.log1p(-share)
        for k in range(correct, guesses + 1)
    ]
    return min(1.0, math.fsum(math.exp(x) for x in logs))
