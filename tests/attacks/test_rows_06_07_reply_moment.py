"""Rows 6, 7: how long an answer takes tells whether one heavy row is there, or how large the noise was.

The reply leaves at the moment fixed when it was charged: a slow engine and a slow sampler move nothing. The controls are
the same work without the moment, and a plain engine in which one row is slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from tests.attacks.asked import Door

from enclave.broker import asking
from enclave.budget import AccountKind
from enclave.query import mechanisms
from enclave.query.engine import Engine
from enclave.query.price import prepare

SUBQUERY = "SELECT AVG(n) AS {alias} FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)"
QUICK = "SELECT COUNT(*) AS n FROM visits"
SLOW = 0.08
TOLERANCE = 0.06


def slowed(function: Callable[..., Any]) -> Callable[..., Any]:
    def slow(*args: Any, **named: Any) -> Any:
        time.sleep(SLOW)
        return function(*args, **named)

    return slow


def moment(door: Door, alias: str) -> float:
    """From asking to the moment the reply would leave, of a question whose class leaves room for slow work."""
    started = time.monotonic()
    answered = door.ask(SUBQUERY.format(alias=alias), "0.1")
    left = answered.due - time.monotonic()
    assert left > 0, "the work was done before the moment came"
    time.sleep(left)  # its turn ends then: the next question waits for nobody
    return answered.due - started


@pytest.mark.parametrize("part", ["engine", "sampler"])
def test_rows_06_07_slow_work_does_not_move_the_reply(door: Door, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    moment(door, "opening")
    plain = min(moment(door, f"plain{i}") for i in range(3))
    if part == "engine":
        monkeypatch.setattr(Engine, "totals", slowed(Engine.totals))
    else:
        monkeypatch.setattr(mechanisms, "noisy", slowed(mechanisms.noisy))
    slow = min(moment(door, f"slow{i}") for i in range(3))
    assert abs(slow - plain) < TOLERANCE


def test_row_06_control_in_a_plain_engine_one_row_is_seen_by_the_clock() -> None:
    plain = duckdb.connect()
    plain.execute("CREATE TABLE t AS SELECT range AS pid FROM range(1000)")
    heavy = "SELECT sum(CASE WHEN pid = {} THEN length(repeat('x', 40000000 + pid::INT)) ELSE 1 END) FROM t"

    def took(pid: int) -> float:
        times = []
        for _ in range(3):
            started = time.perf_counter()
            plain.execute(heavy.format(pid)).fetchall()
            times.append(time.perf_counter() - started)
        return min(times)

    assert took(5) > 3 * took(-1)


def test_row_06_the_class_of_a_question_comes_from_its_text_alone(door: Door) -> None:
    dataset = door.asker(door.living.project).dataset
    first = prepare("SELECT COUNT(*) FROM visits WHERE los_days > 5", dataset, "1").reply_ms
    assert first == prepare("SELECT COUNT(*) FROM visits WHERE los_days > 50", dataset, "1").reply_ms


@pytest.mark.parametrize("work", [0.0, 0.05], ids=["light", "heavy"])
def test_row_06_a_slow_opening_does_not_uncover_when_the_question_was_done(
    door: Door, monkeypatch: pytest.MonkeyPatch, work: float
) -> None:
    """Attack: be the first to ask while the disk is busy. The reply left when the work was done, whatever its class."""
    stood, done = slow_to_open(door, monkeypatch, work)
    answered = door.ask(QUICK, "1")
    class_ms = prepare(QUICK, door.asker(door.living.project).dataset, "1").reply_ms
    assert answered.due >= stood[0] + class_ms / 1000 > done[0] > stood[0]
    assert not door.balance(AccountKind.PROJECT, door.living.project).incidents, "a slow disk is nobody's fault"


def test_row_06_work_that_outlasts_its_class_is_an_incident_in_the_opening_question_too(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    stood, done = slow_to_open(door, monkeypatch, 0.3)
    answered = door.ask(QUICK, "1")
    assert done[0] > answered.due >= stood[0]
    assert door.balance(AccountKind.PROJECT, door.living.project).incidents == 1


def test_row_06_control_a_moment_before_the_extract_stood_open_would_have_passed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fixed from the reservation alone it is over before the work begins: what is left to see is the work."""
    stood, done = slow_to_open(door, monkeypatch, 0.05)
    class_ms = prepare(QUICK, door.asker(door.living.project).dataset, "1").reply_ms
    begun = time.monotonic()
    door.ask(QUICK, "1")
    assert begun + class_ms / 1000 < stood[0] < done[0]


def slow_to_open(door: Door, monkeypatch: pytest.MonkeyPatch, work: float) -> tuple[list[float], list[float]]:
    """An extract that takes longer to open than is allowed for, and a question that takes `work`: when each was done."""
    stood, done = list[float](), list[float]()
    engine, totals = type(door.extracts).engine, Engine.totals

    def opening(extracts: Any, dataset: Any) -> Any:
        if not stood:
            time.sleep(0.5)
        found = engine(extracts, dataset)
        stood.append(time.monotonic())
        return found

    def working(*asked: Any) -> Any:
        found = totals(*asked)
        time.sleep(work)
        done.append(time.monotonic())
        return found

    monkeypatch.setattr(asking, "OPENING_MS", 1)
    monkeypatch.setattr(type(door.extracts), "engine", opening)
    monkeypatch.setattr(Engine, "totals", working)
    return stood, done
