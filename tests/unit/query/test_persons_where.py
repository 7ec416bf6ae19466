"""COUNT(DISTINCT person) FILTER (WHERE …) counts those who have a row where it holds, not those whose marked row does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.oracle.extracts import DATASET, random_rows, without_limits
from tests.oracle.persons import People

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.bounds import tallies
from enclave.query.plan import Measure
from enclave.query.question import parse

FREE = without_limits(DATASET)
ASKED = [
    "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE urgent), COUNT(DISTINCT patient_id) FROM visits",
    "SELECT COUNT(DISTINCT CASE WHEN los_days > 20 THEN patient_id END) FROM visits",
    "SELECT dept, COUNT(DISTINCT patient_id), COUNT(DISTINCT patient_id) FILTER (WHERE urgent) FROM visits GROUP BY dept",
    "SELECT dx, COUNT(DISTINCT patient_id) FILTER (WHERE change > 0 AND urgent) FROM visits WHERE los_days > 1 GROUP BY dx",
    "SELECT p.sex, COUNT(DISTINCT v.patient_id) FILTER (WHERE v.dept = 'A') FROM visits v JOIN patients p "
    "USING (patient_id) GROUP BY p.sex",
    "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE smoker), COUNT(DISTINCT patient_id) FROM patients",
    "SELECT sex, COUNT(DISTINCT patient_id) FILTER (WHERE age > 40) FROM patients GROUP BY sex",
    "SELECT COUNT(DISTINCT v.patient_id) FILTER (WHERE d.rank = 2) FROM visits v JOIN diagnoses d USING (patient_id)",
    "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE n > 3) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1)",
    "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE dept = 'B') FROM (SELECT patient_id, dept, COUNT(*) AS n FROM visits "
    "GROUP BY 1, 2)",
]


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(FREE, random_rows(60, seed=6)) as made:
        made.connection.execute("USE extract")
        yield made


@pytest.mark.parametrize("sql", ASKED)
def test_it_is_what_plain_sql_says(people: People, sql: str) -> None:
    plan = parse(sql, FREE)
    assert {a.measure for a in plan.aggregates} == {Measure.PERSONS}
    vectors, keys = people.vectors(plan, tallies(plan)), len(plan.keys)
    told = people.connection.execute(sql).fetchall()
    assert any(row[keys] for row in told)
    for row in told:
        assert [v.get(row[:keys], 0) / WEIGHT_ONE for v in vectors] == list(row[keys:])
