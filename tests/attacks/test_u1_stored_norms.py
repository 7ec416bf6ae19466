"""U1: a norm that is NULL weighs nothing, and roots are exact."""

from __future__ import annotations

import math

import duckdb
import pytest
from tests.oracle.counterexamples import spread
from tests.oracle.extracts import DATASET, rounded_up_root, with_norms
from tests.oracle.persons import People

QUESTIONS = [
    ("SELECT COUNT(*) FROM visits", "unit_rows"),
    ("SELECT dept, COUNT(*) FROM visits GROUP BY dept", "norm_dept"),
    ("SELECT dept, AVG(los_days) FROM visits GROUP BY dept", "norm_dept"),
    ("SELECT SUM(fee) FROM visits", "total_fee"),
    ("SELECT dept, COUNT(DISTINCT patient_id) FROM visits GROUP BY dept", "distinct_dept"),
    ("SELECT dept, COUNT(DISTINCT patient_id) FROM visits WHERE urgent GROUP BY dept", "distinct_dept"),
]


@pytest.mark.parametrize(("sql", "norm"), QUESTIONS)
def test_a_null_norm_weighs_nothing(sql: str, norm: str) -> None:
    rows = spread()
    stored = {"visits": [{**row, norm: None} for row in with_norms(DATASET.tables[1], rows["visits"])]}
    with People(DATASET, rows, stored=stored) as people:
        assert people.ratio(sql) == 0
    with People(DATASET, rows) as people:
        assert people.ratio(sql) > 0


def test_control_least_of_a_null_norm_is_the_full_weight() -> None:
    assert duckdb.connect().execute("SELECT least(65536, NULL)").fetchall() == [(65536,)]


def test_roots_are_rounded_up_exactly() -> None:
    assert rounded_up_root(2**54 + 1) == 134_217_729
    assert math.ceil(math.sqrt(2**54 + 1)) == 134_217_728  # control: the double is one too small


def test_a_weight_times_its_norm_never_exceeds_the_clip() -> None:
    for clip in (1, 2, 7, 100, 99_999):
        for squares in (*range(1, 200), clip * clip, clip * clip + 1, 4 * clip * clip + 3):
            norm = rounded_up_root(65_536 * squares)
            weight = 65_536 if norm <= clip * 256 else clip * 65_536 * 256 // norm
            assert weight * weight * squares <= (clip * 65_536) ** 2
