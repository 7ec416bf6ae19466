"""Without clips in the way, what is made within one person adds up to what plain SQL on the same rows says."""

from __future__ import annotations

import pytest
from tests.oracle.extracts import DATASET, random_rows, without_limits
from tests.oracle.persons import People
from tests.oracle.within import WITHIN

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.bounds import tallies
from enclave.query.plan import Measure
from enclave.query.question import parse

FREE = without_limits(DATASET)
WHOLE = (Measure.ROWS, Measure.PERSONS, Measure.SUM, Measure.MEAN)
PLAIN = [
    sql
    for sql in WITHIN
    # stored numbers with decimals are whole here, a written clamp is kept, a wide count is no key, a ratio is made later
    # tied rows fall in an order of ours (tests/unit/query/test_windows.py), a mean is told in hundredths
    if not any(word in sql for word in ("fee", "balance", "LEAST(", "MEDIAN", "GROUP BY n", " / "))
    and not any(word in sql for word in ("ORDER BY admitted_on", "AVG(los_days)", "AVG(change) FILTER"))
]


@pytest.fixture(scope="module")
def people() -> People:
    made = People(FREE, random_rows(40, seed=11))
    made.connection.execute("USE extract")
    return made


@pytest.mark.parametrize("sql", PLAIN)
def test_it_is_what_plain_sql_says(people: People, sql: str) -> None:
    plan = parse(sql, FREE)
    assert {a.measure for a in plan.aggregates} <= set(WHOLE)
    moved = tallies(plan)
    vectors = people.vectors(plan, moved)
    expected = people.connection.execute(sql).fetchall()
    keys = len(plan.keys)
    assert {row[:keys] for row in expected} == set(vectors[0])
    for row in expected:
        for at, aggregate in enumerate(plan.aggregates):
            mine = [v[row[:keys]] / WEIGHT_ONE for t, v in zip(moved, vectors, strict=True) if t.aggregate == at]
            if aggregate.measure is Measure.MEAN:
                if row[keys + at] is None:
                    assert mine[1] == 0
                    continue
                centre = next(t.centre for t in moved if t.aggregate == at)
                assert centre + mine[0] / mine[1] == pytest.approx(row[keys + at])
            else:
                assert mine[0] == (row[keys + at] or 0)
