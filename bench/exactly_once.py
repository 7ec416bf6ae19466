"""Does each run finish exactly once while workers are killed?

Two workers take runs from one queue, and one of them is killed (kill -9) every few seconds, as in
`tests/integration/test_queue_exactly_once.py`; every run asks one of five private questions. What is counted afterwards:
runs with exactly one end on the trace, one set of outputs and no second charge, against runs handed in.

    python -m bench.exactly_once 500     as many runs as `make audit`
"""

from __future__ import annotations

import collections
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.integration.channels import running
from tests.integration.test_queue_exactly_once import QUESTIONS, carried_out
from tests.living import Living, born, granted, quick_replies, raw_hospital, shelved

from enclave import audit
from enclave.budget import history
from enclave.custody.proof import verify_house
from enclave.run.job import listing, outputs

RUNS = 40


def _once(living: Living) -> int:
    """Runs that ended once, finished, with their one output."""
    ends = collections.Counter(e["subject"] for e in audit.search(living.db, kind="run.finished", limit=100_000))
    jobs = listing(living.db, limit=100_000)
    return sum(ends[job.run] == 1 and len(outputs(living.db, job.run)) == 1 for job in jobs)


def measure(runs: int = RUNS) -> list[dict[str, Any]]:
    """One row: the share of runs that finished exactly once; it does not hold if a question was charged twice."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as name:
        house = born(Path(name))
        quick_replies(house.place)
        shelved(house, raw_hospital(Path(name) / "raw", 500))
        house.request, house.project = granted(house)
        with running(house, lease_seconds=2, workers=2, warm_jails=1) as living:
            begun = time.perf_counter()
            kills = carried_out(living, runs)
            took = time.perf_counter() - begun
            once = _once(living)
            charged = [entry.kind for entry in history(living.place)].count("reserved")
            verify_house(living.place, living.db, living.keyring)
    against = (
        f"{runs} handed in, {kills} kills -9 of a worker in {took:.0f} s; {charged} charges for {QUESTIONS} questions"
    )
    row = {"name": "queue.exactly_once", "value": once, "unit": "runs", "against": against, "ratio": once / runs}
    return [{**row, "goal": "1, each charged once", "holds": once == runs and charged == QUESTIONS and kills > 0}]


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:])), indent=2))
