"""U3: a question that fails where one person is there tells of that person for certain, whatever is charged.

Three ways that were open: rows of one person that multiply through six joins leave every width there is; a question without
a stored norm holds more with each sum than was reckoned; two questions that each fit the engine did not fit together.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pytest
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, KEY, build

from enclave.broker.turns import Turns
from enclave.errors import Refused
from enclave.query.engine import Engine
from enclave.query.held import MOST_BYTES
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.sources import MOST_TIMES, times

ROWS = 400
"""Of one person: 400⁶ rows of six sides are above 2⁴⁶."""


def joined(sides: int, what: str) -> str:
    others = (f"JOIN visits {name} ON a.patient_id = {name}.patient_id" for name in "bcdef"[: sides - 1])
    return f"SELECT {what} FROM visits a {' '.join(others)}"


def standing_for(sides: int, rows: int, written: str) -> int:
    counted = ", ".join(f"(SELECT {rows}::BIGINT AS made_rows) AS t{at}" for at in range(sides))
    (found,) = duckdb.sql(f"SELECT {written} FROM {counted}").fetchall()[0]
    return int(found)


@pytest.mark.parametrize("sides", [3, 4, 5, 6])
@pytest.mark.parametrize("rows", [1, 7, 40, 3_000_000])
def test_rows_that_multiply_stay_within_what_is_held(sides: int, rows: int) -> None:
    written = times(parse(joined(sides, "COUNT(*)"), DATASET).sources)
    assert standing_for(sides, rows, written) == min(rows**sides, MOST_TIMES + 1)


def test_control_a_plain_product_fails_because_of_one_person() -> None:
    plain = " * ".join(f"CAST(t{at}.made_rows AS HUGEINT)" for at in range(6))
    assert standing_for(6, 40, plain) == 40**6
    with pytest.raises(duckdb.OutOfRangeException):
        standing_for(6, 3_000_000, plain)


@pytest.mark.parametrize(
    "what", ["COUNT(*)", "SUM(a.fee)", "AVG(a.change)", "VAR_POP(a.los_days)", "SSCP(a.fee, b.dx)"]
)
def test_a_person_with_very_many_joined_rows_weighs_nothing_and_fails_nothing(tmp_path: Path, what: str) -> None:
    engine = Engine(build(tmp_path / "many.duckdb", DATASET, person([{"fee": 5_000_000}] * ROWS)), KEY)
    priced = prepare(joined(6, what), DATASET, "1")
    totals = engine.totals(priced.statements, priced.plan.keys, 60_000)
    assert all(number == 0 for vector in totals for number in vector)
    engine.close()


def test_what_a_row_adds_is_small_where_three_sides_meet() -> None:
    assert prepare(joined(2, "VAR_POP(a.fee)"), DATASET, "1").rho > 0
    for sides in (3, 6):
        with pytest.raises(Refused) as refused:
            prepare(joined(sides, "VAR_POP(a.fee)"), DATASET, "1")
        assert refused.value.code == "query.too_wide"


# --- memory that two questions share --------------------------------------------------------------------------------

LARGE = MOST_BYTES * 2 // 3


def enter(turns: Turns, question: str, held: int, entered: list[str]) -> threading.Thread:
    def take() -> None:
        with turns.turn(question, held):
            entered.append(question)

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def test_two_that_may_not_fit_together_are_never_in_the_engines_at_once() -> None:
    turns, entered = Turns(), list[str]()
    with turns.turn("first", LARGE):
        second = enter(turns, "second", LARGE, entered)
        enter(turns, "light", 0, entered).join(10)
        assert entered == ["light"], "who holds nothing waits for a place alone"
        assert second.is_alive()
    second.join(10)
    assert entered == ["light", "second"]


def test_nobody_overtakes_who_waits_for_room() -> None:
    turns, entered = Turns(), list[str]()
    with turns.turn("first", LARGE):
        waiting = [enter(turns, "large", LARGE, entered)]
        until = time.monotonic() + 10
        while not turns._line and time.monotonic() < until:
            time.sleep(0.001)
        waiting.append(enter(turns, "small", MOST_BYTES // 10, entered))
        while len(turns._line) < 2 and time.monotonic() < until:
            time.sleep(0.001)
        assert len(turns._line) == 2 and entered == []
    for thread in waiting:
        thread.join(10)
    assert entered == ["large", "small"]


def test_control_small_ones_go_together() -> None:
    turns, entered = Turns(), list[str]()
    with turns.turn("first", MOST_BYTES // 3):
        enter(turns, "second", MOST_BYTES // 3, entered).join(10)
        assert entered == ["second"]
