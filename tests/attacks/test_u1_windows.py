"""U1: a window that sees the rows of others, an order that depends on how rows lie, a frame that adds up without end."""

from __future__ import annotations

import random

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.persons import People

from enclave.errors import Refused
from enclave.query.plan import Stacked
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.sources import made

LEVEL = "SELECT patient_id, visit_id, {} AS x FROM visits"
ASKED = "SELECT SUM(x) FROM (SELECT patient_id, {} AS x FROM visits)"
OTHERS = "SUM(los_days) OVER (PARTITION BY dept)"
TIED = "ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY YEAR(admitted_on))"


def without(rows: Rows, person: object) -> Rows:
    return {name: [r for r in mine if r["patient_id"] != person] for name, mine in rows.items()}


def shuffled(rows: Rows, seed: int) -> Rows:
    return {name: random.Random(seed).sample(mine, len(mine)) for name, mine in rows.items()}


def plainly(rows: Rows, window: str) -> dict[object, object]:
    """What plain SQL says, by visit."""
    with People(DATASET, rows) as people:
        people.connection.execute("USE extract")
        return {visit: x for _, visit, x in people.connection.execute(LEVEL.format(window)).fetchall()}


def answered(rows: Rows, window: str) -> list[tuple[object, ...]]:
    source = parse(ASKED.format(window), DATASET).sources[0]
    assert isinstance(source.made, Stacked)
    with People(DATASET, rows) as people:
        return sorted(people.connection.execute(made(source.made, source.table.unit)).fetchall(), key=str)


def test_control_over_a_department_one_person_changes_the_numbers_of_all_others() -> None:
    rows = random_rows(30, seed=5)
    before, after = plainly(rows, OTHERS), plainly(without(rows, 3), OTHERS)
    assert sum(before[visit] != x for visit, x in after.items()) > 10


@pytest.mark.parametrize("by", ["dept", "dept, patient_id || ''", "p.sex", "visit_id", ""])
def test_a_window_over_anybody_else_is_refused(by: str) -> None:
    partition = f"PARTITION BY {by}" if by else ""
    with pytest.raises(Refused) as refused:
        prepare(ASKED.format(f"SUM(los_days) OVER ({partition})"), DATASET, "1")
    assert refused.value.place


def test_of_ours_only_the_rows_of_the_person_change() -> None:
    rows = random_rows(30, seed=5)
    for window in (
        TIED,
        "SUM(los_days) OVER (PARTITION BY patient_id)",
        "LAG(change) OVER (PARTITION BY patient_id ORDER BY fee)",
    ):
        kept = [row for row in answered(rows, window) if row[0] != 3]
        assert kept == answered(without(rows, 3), window)


def test_control_plain_sql_breaks_ties_by_how_rows_lie() -> None:
    rows = random_rows(30, seed=5)
    assert plainly(rows, TIED) != plainly(shuffled(rows, 1), TIED)


def test_ours_breaks_ties_by_the_key_of_the_table() -> None:
    rows = random_rows(30, seed=5)
    window = TIED.replace("ROW_NUMBER()", "LAG(fee)")
    for seed in (1, 2, 3):
        assert answered(shuffled(rows, seed), window) == answered(rows, window)


def test_the_key_that_breaks_ties_is_held_against_the_grant() -> None:
    """Otherwise an order of constants would tell of a column that was not granted."""
    assert ("visits", "visit_id") in prepare(ASKED.format(TIED), DATASET, "1").variables
    shared = TIED.replace("ROW_NUMBER()", "RANK()")
    assert ("visits", "visit_id") not in prepare(ASKED.format(shared), DATASET, "1").variables


def test_control_an_endless_frame_adds_up_beyond_its_bound_and_ours_does_not() -> None:
    window = "SUM(los_days) OVER (PARTITION BY patient_id)"
    rows = random_rows(30, seed=5)
    term = parse(ASKED.format(window), DATASET).aggregates[0].term
    assert term is not None
    assert max(int(str(x)) for x in plainly(rows, window).values() if x is not None) > term.type.reach
    assert max(int(str(x)) for _, x in answered(rows, window) if x is not None) <= term.type.reach


@pytest.mark.parametrize(
    "sql", [ASKED.format(TIED), ASKED.format("LAG(change) OVER (PARTITION BY patient_id ORDER BY fee)")]
)
def test_what_a_person_adds_stays_within_what_is_claimed(sql: str) -> None:
    for seed in range(4):
        rows = random_rows(1, seed=seed)
        with People(DATASET, rows) as people:
            assert people.ratio(sql) <= 1.0
