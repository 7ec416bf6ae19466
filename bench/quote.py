"""How much CPU does the broker take to price a question, and to refuse one?

On an idle machine that is the time on the clock too: a quote waits for nothing; on a busy one the clock times neighbours.

The whole of it behind the channel: lease and grant with every signature, parse, plan, price, the look-up for a stored
answer, what is left of each account. A refusal also writes its event. Bad input is of every kind, ordinary and hostile.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.attacks.asked import Door, furnished, opened

from enclave.broker.session import Session

ROUNDS = 25
QUOTE_MS, REFUSAL_MS = 2.0, 5.0

QUESTIONS = (
    "SELECT COUNT(*) AS n FROM visits",
    "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept",
    "SELECT dept, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY dept",
    "SELECT dept, AVG(los_days) AS los FROM visits WHERE los_days > {n} GROUP BY dept",
)
REFUSED = (
    "SELECT dept, MAX(los_days) FROM visits WHERE los_days > {n} GROUP BY dept",
    "SELECT nothing_{n} FROM visits",
    "SELECT * FROM read_csv('/etc/passwd{n}')",
    "SELECT COUNT(*) FROM visits -- {n}" + " " * 17_000,
    "SELECT " + "(" * 200 + "{n}" + ")" * 200,
)
LARGEST = (
    "SELECT COUNT(*) FROM visits WHERE " + " OR ".join(["los_days = {n}"] * 520),
    "SELECT " + ", ".join(f"c{i}_{{n}}" for i in range(900)) + " FROM visits",
)


def _each(templates: Sequence[str], clock: Callable[[], float], work: Callable[[str], None]) -> dict[str, float]:
    """Median milliseconds of `work` for every template, in turns, each time with another number in it."""
    found: dict[str, list[float]] = {template: [] for template in templates}
    for number in range(ROUNDS + 2):
        for template in templates:
            sql = template.format(n=number)
            start = clock()
            work(sql)
            found[template] += [1e3 * (clock() - start)] if number >= 2 else []
    return {template: median(times) for template, times in found.items()}


def _row(name: str, value: float, unit: str, against: str, goal: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "against": against,
        "ratio": None if goal is None else round(value / goal, 2),
        "goal": None if goal is None else f"<= {goal:g} {unit}",
        "holds": None if goal is None else value <= goal,
    }


def _measured(door: Door) -> list[dict[str, Any]]:
    asker = door.asker(door.living.project)
    session = Session(door.asking, asker, door.living.db)

    def quote(sql: str) -> None:
        door.asking.quote(asker, sql, "0.1")

    def refuse(sql: str) -> None:
        session.asked = 0
        head, _, _ = session._answer({"verb": "ask", "dataset": "hospital", "sql": sql, "epsilon": "0.1", "id": 1})
        if head["ok"]:
            raise RuntimeError(f"answered: {sql[:80]}")

    quotes = _each(QUESTIONS, time.thread_time, quote)
    refusals = _each(REFUSED + LARGEST, time.thread_time, refuse)
    largest = {sql: refusals.pop(sql) for sql in LARGEST}
    return [
        _row("query.refusal_ms.largest", max(largest.values()), "ms CPU", "texts at the limit of 2,000 tokens", None),
        _row("query.quote_ms", max(quotes.values()), "ms CPU", "the slowest of four questions, medians", QUOTE_MS),
        _row(
            "query.refusal_ms", max(refusals.values()), "ms CPU", "the slowest of five bad inputs, medians", REFUSAL_MS
        ),
    ]


def measure() -> list[dict[str, Any]]:
    """One row for quotes, one for refusals."""
    with tempfile.TemporaryDirectory(prefix="domicile-bench-") as folder:
        living = furnished(Path(folder))
        with opened(living) as door:
            rows = _measured(door)
        living.close()
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
