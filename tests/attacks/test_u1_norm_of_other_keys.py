"""U1: a facet's norm serves only the facet itself or what is declared finer; every other key takes `unit_rows`.

Each attack has its control: the same SQL under the wrong norm lets one person exceed the claim by about √6.
"""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import spread
from tests.oracle.extracts import DATASET
from tests.oracle.persons import People

from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import Norm

BY_DEPT = Norm("norm_dept", 5)

ATTACKS = {
    "other facet": "SELECT dx, COUNT(*) FROM visits GROUP BY dx",
    "another column": "SELECT urgent, COUNT(*) FROM visits GROUP BY urgent",
    "total": "SELECT COUNT(*) FROM visits",
    "person key alone": "SELECT p.sex, COUNT(*) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex",
    "coarsening by =": "SELECT dept IN ('A', 'B', 'C', 'D', 'E', 'F') AS k, COUNT(*) FROM visits GROUP BY k",
    "coarsening by COALESCE": "SELECT COALESCE(dept, 'A') AS k, urgent, COUNT(*) FROM visits GROUP BY k, urgent",
    "function of the facet": "SELECT CASE WHEN dept = 'A' THEN 'A' ELSE 'B' END AS k, COUNT(*) FROM visits GROUP BY k",
    "facet of a joined table": "SELECT v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_planner_does_not_take_the_norm_of_dept(sql: str) -> None:
    plan = parse(sql, DATASET)
    assert all(t.norm.column in ("unit_rows", "norm_dx") for t in tallies(plan))
    with People(DATASET, spread()) as people:
        assert people.ratio(sql) <= 1


@pytest.mark.parametrize(
    "name", ["other facet", "another column", "total", "person key alone", "coarsening by =", "function of the facet"]
)
def test_control_under_the_norm_of_dept_the_claim_is_broken(name: str) -> None:
    with People(DATASET, spread()) as people:
        assert people.ratio(ATTACKS[name], norm=BY_DEPT) > 1.6


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT dept, COUNT(*) FROM visits GROUP BY dept",
        "SELECT ward, COUNT(*) FROM visits GROUP BY ward",
        "SELECT urgent, dept, COUNT(*) FROM visits GROUP BY urgent, dept",
        "SELECT p.sex, v.dept, COUNT(*) FROM visits v JOIN patients p USING (patient_id) GROUP BY p.sex, v.dept",
    ],
)
def test_the_facet_and_what_is_finer_take_its_norm_exactly(sql: str) -> None:
    assert tallies(parse(sql, DATASET))[0].norm == BY_DEPT
    with People(DATASET, spread()) as people:
        assert people.ratio(sql) <= 1


def test_two_facets_take_the_one_with_the_smaller_clip() -> None:
    plan = parse("SELECT dept, dx, COUNT(*) FROM visits GROUP BY dept, dx", DATASET)
    assert tallies(plan)[0].norm == Norm("norm_dx", 4)
