"""What do a regression, a survival curve and a cross-table cost in time, beside plain DuckDB, and how near is the curve?

    python -m bench.models [--visits N]

Time as in `bench.suite`: warm, in turns, from a durable reservation to a finished body; plain DuckDB is asked for the sums
and counts that somebody with the rows would make the model of. Nearness: the RMSE of a curve of 20 intervals to the one
without noise, on invented lives, at the noise of ε = 1.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import numpy as np
from bench.hospital import shelved
from bench.questions import Form
from bench.suite import Measured, in_turns, plain_on

from domicile import Crosstab, LinearRegression, Survival
from domicile.models.lifetable import LifeTable, curve
from enclave.query import Engine, prepare

VISITS = 1_000_000
EPSILON = "0.3"
REPEATS = 200
INTERVALS = 20
QUIET = 1e-9

BOTH = "visits JOIN patients USING (patient_id)"
EACH = "SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id"
WIDE = "los_days::BIGINT AS y, age::BIGINT AS x, sex"
SUMS = "count(*), sum(y), sum(x), sum(y * y), sum(x * x), sum(x * y)"

FORMS = (
    Form(
        "regression",
        LinearRegression("los_days", ["age", "sex"], BOTH).sql,
        f"SELECT sex, {SUMS} FROM (SELECT {WIDE} FROM {BOTH}) GROUP BY sex",
        (),
    ),
    Form(
        "survival",
        Survival("days", "back", f"({EACH}) AS r JOIN patients USING (patient_id)", 5, 60, by="sex").sql,
        f"SELECT days // 5, back, sex, count(*) FROM ({EACH}) AS r JOIN patients USING (patient_id) GROUP BY 1, 2, 3",
        (),
    ),
    Form(
        "crosstab",
        Crosstab(["age_band", "sex", "diabetes"], "patients").sql,
        "SELECT age_band, sex, diabetes, count(*) FROM patients GROUP BY 1, 2, 3",
        (),
    ),
)

NOISES = {
    "pure": (
        1.36,
        "discrete Laplace at pure ε = 1, what a noisy life table is known to reach (reference: 0.0145, 0.0034)",
    ),
    "gaussian": (4.53, "discrete Gaussian at ε = 1, δ = 1e-6: what a question at epsilon=1 gets"),
}

Row = dict[str, Any]


def timed(visits: int) -> list[Row]:
    """One row for each model; a ratio of 1 is the time of plain DuckDB."""
    rows = []
    with shelved(visits) as hospital, plain_on(hospital) as plain:
        engine = Engine(hospital.path, hospital.key)
        for form in FORMS:
            priced = prepare(form.sql, hospital.dataset, EPSILON)
            ours, theirs, _ = in_turns(form, priced, engine, plain)
            made = Measured(form, ours, theirs, 0.0, priced.reply_ms, 0.0)
            rows.append(
                {
                    "name": f"query.model.{form.name}",
                    "value": round(1000 * float(np.median(ours)), 2),
                    "unit": "ms",
                    "against": f"plain DuckDB for the sums it is made of, {1000 * float(np.median(theirs)):.1f} ms, at "
                    f"{visits:,} visits; reply after {priced.reply_ms:,} ms",
                    "ratio": round(made.ratio, 3),
                    "goal": None,
                    "holds": None,
                }
            )
        engine.close()
    return rows


def rmse(persons: int, noise: str) -> float:
    """Of S at the end of each interval, over many lives of exponential length followed to the end."""
    scale, draw, squares = NOISES[noise][0], np.random.default_rng(1), []
    for _ in range(REPEATS):
        at = np.minimum((draw.exponential(1.0, persons) * INTERVALS).astype(int), INTERVALS)
        events, censored = np.bincount(at, minlength=INTERVALS + 1).astype(float), np.zeros(INTERVALS + 1)
        events[-1], censored[-1] = 0.0, events[-1]
        shape = (2, INTERVALS + 1)
        if noise == "pure":
            told = (draw.geometric(1 - 1 / math.e, shape) - draw.geometric(1 - 1 / math.e, shape)).astype(float)
        else:
            told = draw.normal(0, scale, shape).round()
        truth = curve(LifeTable.of(events, censored, QUIET, 0.0), 1.96).survival
        found = curve(LifeTable.of(events + told[0], censored + told[1], scale, 0.0), 1.96).survival
        squares.append(float(np.mean((found - truth) ** 2)))
    return math.sqrt(np.mean(squares))


def measure(visits: int = VISITS) -> list[Row]:
    rows = timed(visits)
    for persons in (228, 1_000):
        for noise, (_, against) in NOISES.items():
            named = {"name": f"query.model.survival_rmse_{persons}.{noise}", "value": round(rmse(persons, noise), 4)}
            rows.append(named | {"unit": "", "against": against, "ratio": None, "goal": None, "holds": None})
    return rows


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visits", type=int, default=VISITS)
    for row in measure(options.parse_args().visits):
        print(json.dumps(row, ensure_ascii=False), flush=True)
