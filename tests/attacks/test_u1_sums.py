"""U1: Σ|x| bounds the sum of x and of what is never larger than x, nothing else."""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, with_norms
from tests.oracle.persons import People

from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import Norm

BY_TOTAL = Norm("total_los_days", 40)

LARGER_THAN_X = {
    "clip(x, 2, 5)": "SELECT SUM(LEAST(GREATEST(los_days, 2), 5)) FROM visits",
    "x * x": "SELECT SUM(los_days * los_days) FROM visits",
    "COALESCE(x, 50)": "SELECT SUM(COALESCE(los_days, 50)) FROM visits",
    "x + 1": "SELECT SUM(los_days + 1) FROM visits",
    "CASE with a constant": "SELECT SUM(CASE WHEN urgent THEN 7 ELSE los_days END) FROM visits",
    "two columns": "SELECT SUM(CASE WHEN urgent THEN fee ELSE los_days END) FROM visits",
}
ZEROS = person([{"los_days": 0 if at % 3 else None} for at in range(60)] + [{"los_days": 60}])


@pytest.mark.parametrize("sql", LARGER_THAN_X.values(), ids=LARGER_THAN_X.keys())
def test_what_may_exceed_x_takes_its_bound_times_a_count_norm(sql: str) -> None:
    (tally,) = tallies(parse(sql, DATASET))
    assert tally.norm == Norm("unit_rows", 8)
    assert tally.factor > 1
    with People(DATASET, ZEROS) as people:
        assert people.ratio(sql) <= 1


@pytest.mark.parametrize("name", ["clip(x, 2, 5)", "COALESCE(x, 50)", "x + 1", "CASE with a constant", "x * x"])
def test_control_under_the_total_norm_the_claim_is_broken(name: str) -> None:
    with People(DATASET, ZEROS) as people:
        assert people.ratio(LARGER_THAN_X[name], norm=BY_TOTAL, factor=1) > 1.5


@pytest.mark.parametrize(
    "written", ["los_days", "-los_days", "ABS(los_days)", "COALESCE(los_days, 0)", "CASE WHEN urgent THEN los_days END"]
)
def test_what_never_exceeds_x_takes_the_total_norm(written: str) -> None:
    sql = f"SELECT dept, SUM({written}) FROM visits GROUP BY dept"
    (tally,) = tallies(parse(sql, DATASET))
    assert (tally.norm, tally.factor) == (BY_TOTAL, 1)
    with People(DATASET, ZEROS) as people:
        assert people.ratio(sql) <= 1


def test_signed_values_are_bounded_by_their_absolute_total() -> None:
    swings = person([{"change": 9 if at % 2 else -9, "ward": f"A{1 + at % 2}"} for at in range(40)])
    sql = "SELECT ward, SUM(change) FROM visits GROUP BY ward"
    with People(DATASET, swings) as people:
        assert people.ratio(sql) <= 1
    signed = {"visits": with_norms(DATASET.tables[1], swings["visits"])}
    for row in signed["visits"]:
        row["total_change"] = 256  # |Σx| = 0, stored as at least 1
    with People(DATASET, swings, stored=signed) as people:  # control: the norm of signed sums
        assert people.ratio(sql) > 8


def test_a_column_of_a_joined_table_never_brings_its_own_total() -> None:
    sql = "SELECT SUM(p.age) FROM visits v JOIN patients p USING (patient_id)"
    (tally,) = tallies(parse(sql, DATASET))
    assert (tally.norm.column, tally.factor) == ("unit_rows", 90)
    many = person([{} for _ in range(60)])
    with People(DATASET, many) as people:
        assert people.ratio(sql) <= 1
        assert people.ratio(sql, norm=Norm(None, 1), factor=90) > 8  # control: as if each patient stood there once
