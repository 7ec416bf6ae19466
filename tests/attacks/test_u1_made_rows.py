"""U1: rows grouped by the person and more are bounded by norms of the rows they are made of, key by key."""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import spread
from tests.oracle.extracts import DATASET, random_rows
from tests.oracle.persons import People

from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import Norm, Style

BY_DEPT = "(SELECT patient_id, dept, COUNT(*) AS n FROM visits GROUP BY patient_id, dept)"
BY_BOTH = "(SELECT patient_id, dept, dx, SUM(change) AS s FROM visits GROUP BY 1, 2, 3)"
BY_WARD = "(SELECT patient_id, ward, COUNT(*) AS n FROM visits WHERE urgent GROUP BY 1, 2)"

LENT = {
    "the facet itself: its distinct cells": (f"SELECT dept, COUNT(*) FROM {BY_DEPT} GROUP BY dept", "norm_0", 2),
    "all of them: the square of that": (f"SELECT COUNT(*) FROM {BY_DEPT}", "unit_rows", 4),
    "what was computed of them": (f"SELECT n, COUNT(*) FROM {BY_DEPT} GROUP BY n", "unit_rows", 4),
    "a function of the facet": (f"SELECT dept = 'A' AS a, COUNT(*) FROM {BY_DEPT} GROUP BY a", "unit_rows", 4),
    "two facets, by the second": (f"SELECT dx, COUNT(*) FROM {BY_BOTH} GROUP BY dx", "norm_1", 4),
    "two facets, by the tighter": (f"SELECT dept, dx, COUNT(*) FROM {BY_BOTH} GROUP BY dept, dx", "norm_1", 4),
    "a column finer than the facet": (f"SELECT ward, COUNT(*) FROM {BY_WARD} GROUP BY ward", "norm_0", 5),
    "a column of no facet": (
        "SELECT urgent, COUNT(*) FROM (SELECT patient_id, urgent, COUNT(*) AS n FROM visits GROUP BY 1, 2) GROUP BY 1",
        "unit_rows",
        8,
    ),
    "made of what was made": (
        f"SELECT dept, COUNT(*) FROM (SELECT patient_id, dept, n, COUNT(*) AS m FROM {BY_DEPT} GROUP BY 1, 2, 3) "
        "GROUP BY dept",
        "norm_0",
        2,
    ),
}


@pytest.mark.parametrize(("sql", "norm", "clip"), LENT.values(), ids=LENT.keys())
def test_made_rows_are_bounded_by_the_norm_of_their_key(sql: str, norm: str, clip: int) -> None:
    plan = parse(sql, DATASET)
    (tally,) = tallies(plan)
    assert not plan.exact
    assert (tally.style, tally.norm) == (Style.ROWS, Norm(norm, clip))
    rows = random_rows(12, seed=3)
    for person in range(12):
        alone = {name: [r for r in mine if r["patient_id"] == person] for name, mine in rows.items()}
        with People(DATASET, alone) as people:
            assert people.ratio(sql) <= 1
    with People(DATASET, spread(40)) as people:
        assert people.ratio(sql) <= 1


def test_control_the_norm_of_the_key_breaks_the_claim_for_another() -> None:
    """By n, or all together, six departments fall into one cell: √6 times as far as the norm of distinct ones says."""
    with People(DATASET, spread(40)) as people:
        for name in ("all of them: the square of that", "a function of the facet"):
            assert people.ratio(LENT[name][0], norm=Norm("norm_0", 2)) > 1.2


def test_a_null_norm_below_weighs_nothing_above() -> None:
    rows = spread()
    sql = LENT["the facet itself: its distinct cells"][0]
    with People(DATASET, rows) as people:
        assert people.ratio(sql) > 0
        people.connection.execute("UPDATE extract.visits SET distinct_dept = NULL")
        assert people.ratio(sql) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT dept, COUNT(DISTINCT patient_id) FROM " + BY_DEPT + " GROUP BY dept",
        "SELECT COUNT(DISTINCT patient_id) FROM " + BY_DEPT,
    ],
)
def test_no_flag_stands_beside_made_rows(sql: str) -> None:
    (tally,) = tallies(parse(sql, DATASET))
    assert tally.style is Style.DISTINCT
    with People(DATASET, spread(40)) as people:
        assert people.ratio(sql) <= 1
