"""How many durable reservations a second, beside a bare full-sync commit of the same disk?

Ledger and bare SQLite take turns in short rounds of one run, so that a busy disk or neighbour slows both alike. The bare
side writes one row of the size of an entry and does nothing else: no chain, no caps, no accounts. Every session is a
researcher of its own, and every reservation a question of its own; the sessions stand ready before the clock runs, and on
one processor, as a broker's do. The bare side stands wherever it likes.
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

from enclave.budget import Account, Amount, Charge, Ledger, Share, population, project, researcher
from enclave.query.processors import for_interpreter
from enclave.store import Place

PRICE = Amount(1_000, 1)

ROUNDS = 15
ALONE = 60
"""Commits of one spender in a round."""
SPENDERS = 64
EACH = 20
"""Reservations of each of the many spenders in a round."""

SHARED = (population("cn"), project("p"))
RESEARCHERS = tuple(researcher("p", f"mem_{number:016x}") for number in range(SPENDERS))
ROW = "x" * 450
"""About the bytes of a reservation's entry with its hashes."""


def _rate(count: int, work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _bare(db: sqlite3.Connection) -> None:
    for _ in range(ALONE):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO entries (body) VALUES (?)", (ROW,))
        db.execute("COMMIT")


def _session(ledger: Ledger, who: Account, questions: int) -> None:
    for number in range(questions):
        what = {"run": "run_0123456789abcdef", "member": who.name, "question": f"{number:064x}", "dataset": "hospital"}
        shares = (Share(SHARED[1], PRICE), Share(who, PRICE), Share(SHARED[0], PRICE))
        ledger.reserve(Charge(shares, {**what, "gaussian": PRICE.nano_rho}))


def _rate_of(ledger: Ledger, spenders: int, questions: int) -> float:
    """Reservations a second of so many sessions, each on a thread of its own, from the moment they are let go."""
    ready = threading.Barrier(spenders + 1)

    def session(who: Account) -> None:
        ready.wait()
        _session(ledger, who, questions)

    threads = [threading.Thread(target=session, args=(who,)) for who in RESEARCHERS[:spenders]]
    with for_interpreter():
        for thread in threads:
            thread.start()
    ready.wait()
    return _rate(spenders * questions, lambda: _joined(threads))


def _joined(threads: list[threading.Thread]) -> None:
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
        with for_interpreter():
            ledger = Ledger.of(place)
        with ledger:
            for account in (*SHARED, *RESEARCHERS):
                ledger.open_account(account, Amount(10**12, 10**9), actor="bench")
            for number in range(ROUNDS + 1):
                measured = (
                    _rate(ALONE, lambda: _bare(bare)),
                    _rate_of(ledger, 1, ALONE),
                    _rate_of(ledger, SPENDERS, EACH),
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
