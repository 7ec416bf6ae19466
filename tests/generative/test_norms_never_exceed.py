"""No person moves any tally by more than its claimed sensitivity: brute force over random persons and every question.

The vectors are those of the real emitted SQL, their lengths exact Python integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.persons import Cells, People, length_squared
from tests.oracle.questions import ANSWERED

from enclave.errors import Refused
from enclave.query.bounds import tallies
from enclave.query.plan import Measure, Plan
from enclave.query.pure import check_pure
from enclave.query.question import parse

PERSONS, PURELY = 40, 30


def rows_of(rows: Rows, person: int) -> Rows:
    return {table: [row for row in mine if row["patient_id"] == person] for table, mine in rows.items()}


def test_no_person_exceeds_any_sensitivity_and_some_reach_it() -> None:
    rows = random_rows(PERSONS, seed=7)
    plans = [(sql, plan, tallies(plan)) for sql in ANSWERED for plan in (parse(sql, DATASET),)]
    reached: dict[str, float] = dict.fromkeys(ANSWERED, 0.0)
    for person in range(PERSONS):
        with People(DATASET, rows_of(rows, person)) as people:
            for sql, plan, moved in plans:
                for tally, cells in zip(moved, people.vectors(plan, moved), strict=True):
                    squares = length_squared(cells)
                    assert squares <= tally.sensitivity**2, (sql, person, tally)
                    reached[sql] = max(reached[sql], squares**0.5 / tally.sensitivity)
    assert all(ratio > 0 for ratio in reached.values()), "a question that nobody moves tests nothing"
    assert sum(ratio > 0.99 for ratio in reached.values()) >= 15, "the claims are to be tight"


def test_no_person_exceeds_any_l1_sensitivity_of_pure_epsilon() -> None:
    """Counted in pure ε a vector is as long as its entries together. The control: under the norms of ρ some are longer."""
    rows = random_rows(PERSONS, seed=8)
    plans = [(sql, plan, tallies(replace(plan, pure=True)), tallies(plan)) for sql, plan in purely_answered()]
    elsewhere = {
        Measure.KEYS,
        Measure.VALUES,
    }  # refused; no sums over persons, compared in tests/unit/query/test_values.py
    assert {a.measure for _, plan, *_ in plans for a in plan.aggregates} == set(Measure) - elsewhere
    reached, longer = dict.fromkeys((sql for sql, *_ in plans), 0.0), 0
    for person in range(PURELY):
        with People(DATASET, rows_of(rows, person)) as people:
            for sql, plan, moved, of_rho in plans:
                for tally, cells in zip(moved, people.vectors(replace(plan, pure=True), moved), strict=True):
                    length = sum(map(abs, cells.values()))
                    assert length <= tally.sensitivity, (sql, person, tally)
                    reached[sql] = max(reached[sql], length / tally.sensitivity)
                if moved != of_rho and not longer:
                    vectors = zip(of_rho, people.vectors(plan, of_rho), strict=True)
                    longer += any(sum(map(abs, cells.values())) > t.sensitivity for t, cells in vectors)
    assert longer > 0
    assert all(ratio > 0 for ratio in reached.values()), "a question that nobody moves tests nothing"


def purely_answered() -> Iterator[tuple[str, Plan]]:
    for sql in ANSWERED:
        plan = parse(sql, DATASET)
        with suppress(Refused):
            check_pure(plan)
            yield sql, plan


@pytest.mark.parametrize(("seed", "pure"), [(1, False), (2, False), (3, True)])
def test_totals_are_the_sum_of_what_each_person_adds(seed: int, pure: bool) -> None:
    """Hence neighbouring extracts differ by one person's vector, which the test above bounds; a total that is divided at
    the end by at most one more in each cell, which its `slack` says."""
    rows = random_rows(6, seed)
    asked = [replace(p, pure=True) for _, p in purely_answered()] if pure else [parse(sql, DATASET) for sql in ANSWERED]
    chosen = [(plan, tallies(plan)) for plan in asked[seed::3]]
    with People(DATASET, rows) as everyone:
        totals = [everyone.vectors(plan, moved) for plan, moved in chosen]
    added: list[list[Cells]] = [[{} for _ in vectors] for vectors in totals]
    for person in range(6):
        with People(DATASET, rows_of(rows, person)) as one:
            for into, (plan, moved) in zip(added, chosen, strict=True):
                for sums, cells in zip(into, one.vectors(plan, moved), strict=True):
                    for key, total in cells.items():
                        sums[key] = sums.get(key, 0) + total
    for vectors, summed, (plan, moved) in zip(totals, added, chosen, strict=True):
        for vector, sums, tally in zip(vectors, summed, moved, strict=True):
            rounded = 6 if tally.product and tally.product.grain > 1 else 0
            apart = [vector.get(key, 0) - sums.get(key, 0) for key in vector.keys() | sums.keys()]
            assert max(map(abs, apart), default=0) <= rounded, (plan, tally)
            ones = plan.cells**2 if pure else plan.cells
            assert tally.product is None or tally.product.slack**2 >= ones * bool(rounded)
