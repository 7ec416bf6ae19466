"""Models: one person against the sums a model is made of, in exact integers, beside the naive way."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.oracle.extracts import DATASET, Row, Rows
from tests.oracle.persons import People

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.bounds import tallies
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.sscp import ONE
from enclave.query.tally import ONE_PER_PERSON

MATRIX = (
    "SELECT dept, SSCP(v.los_days, v.change, p.age, p.sex, v.dx) FROM visits v "
    "JOIN patients p USING (patient_id) GROUP BY dept"
)


def visitor(visits: int) -> Rows:
    """One person at the end of every bound, with as many visits as wanted."""
    patient: Row = {"patient_id": 1, "sex": "F", "age": 90, "smoker": True, "balance": -50_000}
    visit: Row = {
        "patient_id": 1, "dept": "A", "ward": "A1", "dx": "I10", "los_days": 60, "change": 9, "fee": 5_000_000,
        "admitted_on": dt.date(2021, 1, 1), "score": 0, "urgent": True, "finding": None,
    }  # fmt: skip
    return {"patients": [patient], "visits": [visit | {"visit_id": i} for i in range(visits)], "diagnoses": []}


@pytest.mark.parametrize("visits", [1, 4, 5, 8, 300])
def test_a_person_at_every_bound_moves_a_matrix_by_no_more_than_declared(visits: int) -> None:
    with People(DATASET, visitor(visits)) as people:
        assert people.ratio(MATRIX) <= 1
        assert people.ratio(MATRIX) > 0.97 or visits < 5


def test_control_copies_of_a_row_move_an_unweighed_matrix_as_often() -> None:
    with People(DATASET, visitor(300)) as people:
        assert people.ratio(MATRIX, norm=ONE_PER_PERSON) == pytest.approx(300, rel=0.03)


def test_control_entries_priced_as_one_count_each_would_cost_too_little() -> None:
    """A vector is longer than any of its entries."""
    with People(DATASET, visitor(5)) as people:
        assert people.ratio(MATRIX, factor=ONE) > 3


def test_arithmetic_does_not_blow_a_value_up_beyond_its_bound() -> None:
    with People(DATASET, visitor(5)) as people:
        assert people.ratio("SELECT SSCP(los_days * 1000000, los_days * los_days, change) FROM visits") <= 1


LIVES = (
    "SELECT HISTOGRAM(days, [0, 10, 20, 40]) AS step, (back) = TRUE AS happened, sex AS stratum, COUNT(*) AS persons "
    "FROM (SELECT patient_id, MAX(los_days) AS days, COUNT(*) > 1 AS back FROM visits GROUP BY patient_id) r "
    "JOIN patients USING (patient_id) GROUP BY 1, 2, 3"
)
NAIVE = (
    "SELECT HISTOGRAM(v.los_days, [0, 10, 20, 40]) AS step, v.urgent AS happened, p.sex AS stratum, COUNT(*) AS persons "
    "FROM visits v JOIN patients p USING (patient_id) GROUP BY 1, 2, 3"
)


@pytest.mark.parametrize("visits", [1, 2, 100])
def test_copies_of_a_persons_rows_never_move_a_life_table_by_more_than_one_person(visits: int) -> None:
    with People(DATASET, visitor(visits)) as people:
        assert people.ratio(LIVES) == 1
        (tally,) = tallies(parse(LIVES, DATASET))
        assert tally.sensitivity == WEIGHT_ONE


def test_control_a_life_table_of_rows_moves_with_every_copy() -> None:
    """As it would be counted by hand: rows, each of them one."""
    with People(DATASET, visitor(100)) as people:
        assert people.ratio(NAIVE, norm=ONE_PER_PERSON) == 100
        assert people.ratio(NAIVE) <= 1, "weighed, it is bounded, but it is no table of persons"


def test_a_life_table_of_rows_says_that_it_is_none_of_persons() -> None:
    quotes = [prepare(sql, DATASET, "1").quote.mechanisms[0].one_per_person for sql in (LIVES, NAIVE)]
    assert quotes == [True, False]


def test_cells_of_a_life_table_are_those_of_the_text_whoever_is_there() -> None:
    """Nobody, one person, a person without any time: the same keys."""
    plans = [parse(LIVES, DATASET) for _ in range(2)]
    assert plans[0].keys == plans[1].keys
    lonely: Rows = {"patients": [], "visits": [], "diagnoses": []}
    for rows in (lonely, visitor(1)):
        with People(DATASET, rows) as people:
            (cells,) = people.vectors(plans[0], tallies(plans[0]))
            domains = [set(key.domain) for key in plans[0].keys]
            assert all(value in domain for key in cells for value, domain in zip(key, domains, strict=True))
