"""Windows within one person: as brute force says, the same however rows lie, refused where they would see others."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.oracle.extracts import DATASET, Row, Rows, random_rows
from tests.oracle.persons import People

from domicile.wire.words import catalogue
from enclave.errors import EnclaveError
from enclave.query.bounds import tallies
from enclave.query.held import MOST_ROWS
from enclave.query.plan import Stacked
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.sources import made

OVER = "OVER (PARTITION BY patient_id ORDER BY admitted_on{frame})"
FRAME = " ROWS BETWEEN {} AND {}"
Mine = list[Row]


def question(window: str) -> str:
    return f"SELECT COUNT(x) FROM (SELECT patient_id, urgent, {window} AS x FROM visits)"


def rows_of(window: str, rows: Rows) -> list[tuple[Any, ...]]:
    """(person, urgent, x), sorted."""
    source = parse(question(window), DATASET).sources[0]
    assert isinstance(source.made, Stacked)
    with People(DATASET, rows) as people:
        found = people.connection.execute(made(source.made, source.table.unit)).fetchall()
    return sorted(found, key=str)


def by_hand(value: Callable[[Mine, int], Any], rows: Rows) -> list[tuple[Any, ...]]:
    persons: dict[Any, Mine] = defaultdict(list)
    for row in rows["visits"]:
        persons[row["patient_id"]].append(row)
    found = []
    for person, mine in persons.items():
        mine.sort(key=lambda r: (r["admitted_on"] is None, r["admitted_on"] or 0, r["visit_id"]))
        found += [(person, row["urgent"], value(mine, at)) for at, row in enumerate(mine)]
    return sorted(found, key=str)


def total(mine: Mine, first: int, last: int) -> int | None:
    values = [r["change"] for r in mine[max(0, first) : last + 1] if r["change"] is not None]
    return sum(int(str(v)) for v in values) if values else None


def lagged(mine: Mine, at: int, column: str, step: int) -> Any:
    return mine[at + step][column] if 0 <= at + step < len(mine) else None


BY_HAND: dict[str, Callable[[Mine, int], Any]] = {
    f"ROW_NUMBER() {OVER.format(frame='')}": lambda mine, at: min(at + 1, 8),
    f"LEAST(ROW_NUMBER() {OVER.format(frame='')}, 20)": lambda mine, at: min(at + 1, 20),
    f"LAG(los_days) {OVER.format(frame='')}": lambda mine, at: lagged(mine, at, "los_days", -1),
    f"LEAD(change, 2) {OVER.format(frame='')}": lambda mine, at: lagged(mine, at, "change", 2),
    f"FIRST_VALUE(dx) {OVER.format(frame='')}": lambda mine, at: mine[0]["dx"],
    f"SUM(change) {OVER.format(frame=FRAME.format('2 PRECEDING', 'CURRENT ROW'))}": lambda m, at: total(m, at - 2, at),
    f"COUNT(*) {OVER.format(frame=FRAME.format('1 PRECEDING', '1 FOLLOWING'))}": lambda mine, at: (
        1 + (at > 0) + (at + 1 < len(mine))
    ),
    "COUNT(*) OVER (PARTITION BY patient_id)": lambda mine, at: min(len(mine), 8),
    f"MAX(change) {OVER.format(frame=FRAME.format('UNBOUNDED PRECEDING', 'CURRENT ROW'))}": lambda mine, at: max(
        (int(str(r["change"])) for r in mine[: at + 1] if r["change"] is not None), default=None
    ),
}


@pytest.mark.parametrize("window", BY_HAND)
def test_it_is_what_is_found_by_hand(window: str) -> None:
    rows = random_rows(25, seed=3)
    assert rows_of(window, rows) == by_hand(BY_HAND[window], rows)


@pytest.mark.parametrize("window", BY_HAND)
def test_ties_fall_the_same_way_however_rows_lie(window: str) -> None:
    """Most dates of the random rows are tied; a person's rows give the same in any file."""
    rows = random_rows(25, seed=3)
    shuffled = {name: list(mine) for name, mine in rows.items()}
    for seed in (1, 2):
        random.Random(seed).shuffle(shuffled["visits"])
        assert rows_of(window, shuffled) == rows_of(window, rows)


@pytest.mark.parametrize("window", BY_HAND)
def test_nobody_else_changes_a_window_of_a_person(window: str) -> None:
    rows = random_rows(25, seed=3)
    alone = {name: [r for r in mine if r["patient_id"] == 7] for name, mine in rows.items()}
    assert [r for r in rows_of(window, rows) if r[0] == 7] == rows_of(window, alone)


def test_control_without_the_key_an_order_with_ties_is_no_order() -> None:
    rows = random_rows(25, seed=3)
    tied = [
        r
        for r in rows["visits"]
        if r["patient_id"] == max(rows["visits"], key=lambda v: str(v["patient_id"]))["patient_id"]
    ]
    assert len({r["admitted_on"] for r in tied}) < len(tied)


@pytest.mark.parametrize(
    ("window", "reach"),
    [
        (f"ROW_NUMBER() {OVER.format(frame='')}", 8),
        (f"LEAST(RANK() {OVER.format(frame='')}, 3)", 3),
        (f"SUM(change) {OVER.format(frame=FRAME.format('2 PRECEDING', 'CURRENT ROW'))}", 27),
        ("SUM(change) OVER (PARTITION BY patient_id)", 72),
        (f"LAG(los_days) {OVER.format(frame='')}", 60),
    ],
)
def test_what_it_may_be_is_proved(window: str, reach: int) -> None:
    plan = parse(f"SELECT SUM(x) FROM (SELECT patient_id, {window} AS x FROM visits)", DATASET)
    term = plan.aggregates[0].term
    assert term is not None
    assert term.type.reach == reach
    moved = tallies(plan)
    with People(DATASET, random_rows(25, seed=3)) as people:
        assert people.vectors(plan, moved)[0]


def test_the_bound_that_was_chosen_is_said_with_the_price() -> None:
    priced = prepare(question(f"ROW_NUMBER() {OVER.format(frame='')}"), DATASET, "1")
    assert "ROW_NUMBER at most 8 (row_clip of visits)" in priced.quote.mechanisms[0].bound


REFUSED = [
    ("SUM(change) OVER ()", "windows.partition"),
    ("SUM(change) OVER (PARTITION BY dept)", "windows.partition"),
    ("ROW_NUMBER() OVER (ORDER BY admitted_on)", "windows.partition"),
    ("ROW_NUMBER() OVER (PARTITION BY patient_id)", "windows.needs_order"),
    (f"LAG(change) {OVER.format(frame=FRAME.format('1 PRECEDING', 'CURRENT ROW'))}", "windows.needs_order"),
    (f"SUM(change) {OVER.format(frame='')}", "windows.frame"),
    (f"SUM(change) {OVER.format(frame=' RANGE BETWEEN 2 PRECEDING AND CURRENT ROW')}", "windows.frame"),
    (f"SUM(change) {OVER.format(frame=FRAME.format('2 FOLLOWING', '1 FOLLOWING'))}", "windows.frame"),
    (f"SUM(change) {OVER.format(frame=FRAME.format('99999 PRECEDING', 'CURRENT ROW'))}", "windows.frame"),
    (f"LAG(change, -1) {OVER.format(frame='')}", "windows.frame"),
    (f"LAG(change, 1, 0) {OVER.format(frame='')}", "query.not_in_grammar"),
    (f"AVG(change) {OVER.format(frame='')}", "windows.function"),
    (f"NTILE(4) {OVER.format(frame='')}", "windows.function"),
    (f"LAST_VALUE(change) {OVER.format(frame='')}", "windows.function"),
    (f"LAG(change IGNORE NULLS) {OVER.format(frame='')}", "windows.function"),
    ("SUM(change) FILTER (WHERE urgent) OVER (PARTITION BY patient_id)", "windows.function"),
    ("RANK() OVER (PARTITION BY patient_id ORDER BY dept)", "windows.order"),
    ("RANK() OVER (PARTITION BY patient_id, visit_id ORDER BY admitted_on)", "windows.order"),
    ("SUM(score) OVER (PARTITION BY patient_id)", "query.no_bounds"),
    ("SUM(SUM(change) OVER (PARTITION BY patient_id)) OVER (PARTITION BY patient_id)", "query.window"),
    ("SUM(change) OVER w", "query.not_in_grammar"),
]


@pytest.mark.parametrize(("window", "code"), REFUSED)
def test_what_would_see_others_or_no_order_is_refused_in_words(window: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(question(window), DATASET, "1")
    assert refused.value.code == code
    assert refused.value.place
    assert refused.value.words("zh")


def test_every_refusal_of_windows_is_tried() -> None:
    tried = {c for _, c in REFUSED if c.startswith("windows.")} | {"windows.too_many_rows"}
    assert {c for c in catalogue() if c.startswith("windows.")} == tried


def test_more_rows_than_are_surely_held_have_no_windows() -> None:
    """By the public size class: no extract can make it run out of memory."""
    largest = replace(DATASET, size_class=MOST_ROWS + 1)
    with pytest.raises(EnclaveError) as refused:
        prepare(question(f"ROW_NUMBER() {OVER.format(frame='')}"), largest, "1")
    assert refused.value.code == "windows.too_many_rows"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(LAG(change) OVER (PARTITION BY patient_id ORDER BY admitted_on)) FROM visits",
        "SELECT COUNT(*) FROM visits WHERE ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY admitted_on) = 1",
        "SELECT COUNT(*) FROM (SELECT patient_id FROM visits WHERE COUNT(*) OVER (PARTITION BY patient_id) > 1)",
        "SELECT SUM(n) FROM (SELECT patient_id, MAX(RANK() OVER (PARTITION BY patient_id ORDER BY fee)) AS n "
        "FROM visits GROUP BY 1)",
    ],
)
def test_a_window_stands_in_the_select_list_of_a_level_within_one_person_only(sql: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == "query.window"


def test_a_chosen_bound_is_not_compared_beyond() -> None:
    numbered = f"SELECT patient_id, ROW_NUMBER() {OVER.format(frame='')} AS n FROM visits"
    assert parse(f"SELECT COUNT(*) FROM ({numbered}) WHERE n = 1", DATASET).where
    for sql in (
        f"SELECT COUNT(*) FROM ({numbered}) WHERE n <= 50",
        f"SELECT COUNT(*) FROM (SELECT patient_id, ROW_NUMBER() {OVER.format(frame='')} <= 50 AS f FROM visits) WHERE f",
    ):
        with pytest.raises(EnclaveError) as refused:
            parse(sql, DATASET)
        assert refused.value.code == "within.beyond_clip"
