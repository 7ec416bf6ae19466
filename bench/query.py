"""What does a private count by department cost, beside the plain GROUP BY on the same encrypted file?

Both sides are warm and take turns in one run, so that a busy neighbour slows both alike. Ours is all that stands between
a durable reservation and a finished body: the emitted SQL, discrete Gaussian noise, division, intervals, Arrow. Compute
time only: the reply leaves at its class's moment, which the last row names.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from enclave.catalogue.dataset import Dataset
from enclave.query import Engine, execute, prepare

ROUNDS = 25
WARM_UPS = 5
GOAL = 1.5
COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
PLAIN = 'SELECT dept, count(*) FROM plain."main".visits GROUP BY dept'


def measure(path: Path, key: str, dataset: Dataset, *, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """The row `query.count_by_dept`, and beside it the reply moment of the same question."""
    priced = prepare(COUNT, dataset, "0.5")
    engine = Engine(path, key)
    plain = duckdb.connect(config={"threads": 2})
    written = str(path).replace("'", "''")
    plain.execute(f"ATTACH '{written}' AS plain (ENCRYPTION_KEY $1, READ_ONLY)", [key])
    ours, theirs = [], []
    try:
        for turn in range(WARM_UPS + rounds):
            start = time.perf_counter()
            plain.execute(PLAIN).fetchall()
            middle = time.perf_counter()
            executed = execute(priced, engine)
            end = time.perf_counter()
            engine.settle()  # the catalog check between questions is in neither figure, and disturbs neither
            if executed.incident:
                raise RuntimeError("the engine failed: nothing was measured")
            if turn >= WARM_UPS:
                theirs.append(middle - start)
                ours.append(end - middle)
    finally:
        engine.close()
        plain.close()
    ratio = median(o / t for o, t in zip(ours, theirs, strict=True))
    against = f"plain DuckDB GROUP BY on the same encrypted file, {1000 * median(theirs):.1f} ms"
    row = {
        "name": "query.count_by_dept",
        "value": round(1000 * median(ours), 2),
        "unit": "ms",
        "against": against,
        "ratio": round(ratio, 3),
        "goal": f"<= {GOAL}",
        "holds": ratio <= GOAL,
    }
    moment = {
        "name": "query.count_by_dept.reply",
        "value": priced.reply_ms,
        "unit": "ms",
        "against": "fixed at reservation from text and size class; at least 10 times the compute time",
        "ratio": round(priced.reply_ms / (1000 * max(ours)), 1),
        "goal": ">= 10",
        "holds": priced.reply_ms >= 10_000 * max(ours),
    }
    return [row, moment]


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"question": COUNT, "rounds": ROUNDS}, indent=2) + "\n")
