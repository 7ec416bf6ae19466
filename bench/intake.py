"""How fast do raw records become an extract, in how much memory? And what does a question on it cost?

2,000,000 invented persons with their visits (Parquet) go through the whole of `catalogue.shelve` in a process of its own:
read, rules, pseudonyms, shifts, norms, encryption, re-verification, digests. Rows counted are raw rows read. Memory is
the most that process held at once (resident). The extract is then asked.

    python -m bench.intake --persons N      one intake of that size alone (docs/reference/scale.md tells of 20,000,000)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.hospital import MOST_DRAWN, VISITS_PER_PERSON, classes, make_copies, make_raw, opened

ROOT = Path(__file__).resolve().parents[1]
PERSONS = 2_000_000
TABLES = ("patients", "visits")
GOAL_ROWS = 300_000
GOAL_MIB = 4096
GOAL_RISK = 0.10
RISK = "weigh risk"


def shelve_once(home: Path, source: Path, classes: Mapping[str, int]) -> None:
    """What the measured process does: a home is born, the policy signed, the tables shelved; prints its figures."""
    from enclave.bootstrap import birth
    from enclave.catalogue import shelve
    from enclave.intake import narrowed
    from enclave.intake.policy import sign
    from enclave.store import Keyring, open_state

    settings = birth.create(home, demo=True)
    keyring, db = Keyring(settings.place), open_state(settings.place)
    policy = settings.place.policies / "datasets/hospital/datapackage.yaml"
    largest = max(classes.values())
    policy.write_bytes(narrowed(policy.read_bytes(), tuple(classes), size_class=largest, classes=classes))
    sign(db, policy, keyring, "officer")
    stages: dict[str, float] = {}
    told: list[tuple[str, float]] = []
    start = time.perf_counter()

    def progress(stage: str, _done: int, _total: int | None) -> None:
        told.append((stage, time.perf_counter() - start))
        stages.setdefault(*told[-1])

    made = shelve(db, settings.place, keyring, "steward", policy, source, demo_home=True, progress=progress)
    seconds = time.perf_counter() - start
    read = sum(made.rows.values()) + sum(sum(rules.values()) for rules in made.dropped.values())
    ends = [moment for _, moment in told[1:]] + [seconds]
    risk = sum(end - moment for (stage, moment), end in zip(told, ends, strict=True) if stage.startswith(RISK))
    print(json.dumps({"seconds": seconds, "rows": read, "stages": stages, "risk": risk}))


def _watched(command: list[str]) -> tuple[dict[str, Any], float]:
    """What the process printed, and the most MiB it held: told by the kernel at its end, as it starts no process itself
    (looking every 50 ms at all that runs took a tenth of the machine from what was measured)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        printed = child.stdout.read() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError("intake failed: nothing was measured")
    figures: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return figures, used.ru_maxrss / 1024


def taken_in(raw: Path, home: Path, persons: int) -> tuple[dict[str, Any], float]:
    """What an intake of so many invented persons says of itself, and the most MiB it held."""
    (make_raw if persons <= MOST_DRAWN else make_copies)(raw, persons, TABLES)
    stated = {name: rows for name, rows in classes(VISITS_PER_PERSON * persons).items() if name in TABLES}
    return _watched([sys.executable, "-m", "bench.intake", str(home), str(raw), json.dumps(stated)])


def _told(persons: int) -> None:
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as folder:
        figures, peak = taken_in(Path(folder) / "raw", Path(folder) / "home", persons)
    rate = figures["rows"] / figures["seconds"]
    print(json.dumps(figures | {"rows_per_second": round(rate), "peak_mib": round(peak)}))


def measure() -> list[dict[str, Any]]:
    """Rows of intake, then those of a question on the extract it made."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as folder:
        raw, home = Path(folder) / "raw", Path(folder) / "home"
        figures, peak = taken_in(raw, home, PERSONS)
        rate = figures["rows"] / figures["seconds"]
        print(f"  stages begun at: { {k: round(v, 1) for k, v in figures['stages'].items()} }")
        rows = [
            _row(
                "intake.rows_per_second",
                round(rate),
                "rows/s",
                rate / GOAL_ROWS,
                f">= {GOAL_ROWS:,}",
                rate >= GOAL_ROWS,
            ),
            _row("intake.peak_mib", round(peak), "MiB", peak / GOAL_MIB, f"< {GOAL_MIB:,}", peak < GOAL_MIB),
            _share(figures["risk"] / figures["seconds"]),
        ]
        return rows + _questions(home, raw)


def _questions(home: Path, raw: Path) -> list[dict[str, Any]]:
    from bench.query import measure as ask

    made = opened(home, raw)
    return ask(made.path, made.key, made.dataset)


def _share(risk: float) -> dict[str, Any]:
    """k, l, t, uniqueness and small places of the policy's sets, of the whole of the build."""
    row = _row("risk.share_of_build", round(risk, 4), "", risk / GOAL_RISK, f"<= {GOAL_RISK}", risk <= GOAL_RISK)
    return row | {"against": f"the build; {PERSONS:,} persons, {' and '.join(TABLES)}"}


def _row(name: str, value: float, unit: str, ratio: float, goal: str, holds: bool) -> dict[str, Any]:
    against = f"the goal; {PERSONS:,} persons, {' and '.join(TABLES)}"
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "against": against,
        "ratio": round(ratio, 3),
        "goal": goal,
        "holds": holds,
    }


if __name__ == "__main__":
    first, second, *more = sys.argv[1:]
    if first == "--persons":
        _told(int(second))
    else:
        shelve_once(Path(first), Path(second), json.loads(more[0]))
