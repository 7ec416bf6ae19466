"""How many durable reservations a second, beside a bare full-sync commit of the same disk?

Ledger and bare SQLite take turns in short rounds of one run, so that a busy disk or neighbour slows both alike. The bare
side writes one row of the size of an entry and does nothing else: no chain, no caps, no accounts.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from enclave.budget import Amount, Charge, Ledger, Share, population, project, researcher
from enclave.store import Place

ROUNDS = 15
ALONE = 60
"""Commits of one spender in a round."""
SPENDERS = 64
EACH = 10
"""Reservations of each of the many spenders in a round."""

ACCOUNTS = (population("cn"), project("p"), researcher("p", "m"))
CHARGE = Charge(
    tuple(Share(account, Amount(1_000, 1)) for account in ACCOUNTS),
    {"run": "run_0123456789abcdef", "member": "m", "question": "ab" * 32, "dataset": "hospital", "version": 1},
)
ROW = "x" * 450
"""About the bytes of a reservation's entry with its hashes."""


def _rate(count: int, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _bare(db: sqlite3.Connection) -> None:
    for _ in range(ALONE):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO entries (body) VALUES (?)", (ROW,))
        db.execute("COMMIT")


def _alone(ledger: Ledger) -> None:
    for _ in range(ALONE):
        ledger.reserve(CHARGE)


def _together(ledger: Ledger) -> None:
    def spend() -> None:
        for _ in range(EACH):
            ledger.reserve(CHARGE)

    threads = [threading.Thread(target=spend) for _ in range(SPENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _row(name: str, rate: float, ratio: float, goal: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(rate, 1),
        "unit": "reservations/s",
        "against": "bare sqlite3 WAL commit, synchronous=FULL, one writer",
        "ratio": round(ratio, 2),
        "goal": f">= {goal}",
        "holds": ratio >= goal,
    }


def measure() -> list[dict[str, Any]]:
    """One row for one spender, one for many."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as folder:
        place = Place(Path(folder) / "home")
        place.make()
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            bare.execute(f"PRAGMA {pragma}")
        bare.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        rounds: list[tuple[float, float, float]] = []
        with Ledger.of(place) as ledger:
            for account in ACCOUNTS:
                ledger.open_account(account, Amount(10**12, 10**9), actor="bench")
            for number in range(ROUNDS + 1):
                measured = (
                    _rate(ALONE, lambda: _bare(bare)),
                    _rate(ALONE, lambda: _alone(ledger)),
                    _rate(SPENDERS * EACH, lambda: _together(ledger)),
                )
                rounds += [measured] if number else []  # the first round warms both up
        bare.close()
    alone, together = median(r[1] for r in rounds), median(r[2] for r in rounds)
    return [
        _row("ledger.reservations", alone, median(r[1] / r[0] for r in rounds), 0.7),
        _row("ledger.reservations_64", together, median(r[2] / r[0] for r in rounds), 4.0),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
