"""U1: a flag serves exactly the key asked (or whoever has it, once), unfiltered; otherwise DISTINCT first."""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import spread
from tests.oracle.extracts import DATASET
from tests.oracle.persons import People

from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import Norm, Style

BY_FLAG = {"style": Style.FLAGGED, "norm": Norm("distinct_dept", 2, flag="first_dept")}

ONCE_EACH = {
    "total": "SELECT COUNT(DISTINCT patient_id) FROM visits",
    "person key": "SELECT p.sex, COUNT(DISTINCT v.patient_id) FROM visits v JOIN patients p USING (patient_id) "
    "GROUP BY p.sex",
}
DISTINCT_FIRST = {
    "filtered total": ("SELECT COUNT(DISTINCT patient_id) FROM visits WHERE urgent", None),
    "filtered": ("SELECT dept, COUNT(DISTINCT patient_id) FROM visits WHERE urgent GROUP BY dept", "distinct_dept"),
    "finer": ("SELECT ward, COUNT(DISTINCT patient_id) FROM visits GROUP BY ward", "norm_dept"),
    "coarser": ("SELECT dept = 'A' AS k, COUNT(DISTINCT patient_id) FROM visits GROUP BY k", "unit_rows"),
    "another key": ("SELECT urgent, COUNT(DISTINCT patient_id) FROM visits GROUP BY urgent", "unit_rows"),
    "joined key": (
        "SELECT v.dept, COUNT(DISTINCT d.patient_id) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
        "unit_rows",
    ),
}


@pytest.mark.parametrize(("sql", "norm"), DISTINCT_FIRST.values(), ids=DISTINCT_FIRST.keys())
def test_every_other_key_or_filter_is_made_distinct_first(sql: str, norm: str | None) -> None:
    (tally,) = tallies(parse(sql, DATASET))
    assert (tally.style, tally.norm.column) == (Style.DISTINCT, norm)
    with People(DATASET, spread()) as people:
        assert people.ratio(sql) <= 1


@pytest.mark.parametrize("sql", [ONCE_EACH["total"], DISTINCT_FIRST["coarser"][0]], ids=["total", "coarser"])
def test_control_by_flag_a_coarser_key_breaks_the_claim(sql: str) -> None:
    with People(DATASET, spread()) as people:
        assert people.ratio(sql, **BY_FLAG) > 1.2


@pytest.mark.parametrize("sql", ONCE_EACH.values(), ids=ONCE_EACH.keys())
def test_who_falls_into_one_cell_is_counted_by_the_one_row_that_is_marked(sql: str) -> None:
    (tally,) = tallies(parse(sql, DATASET))
    assert (tally.style, tally.norm) == (Style.FLAGGED, Norm(None, 1, flag="first_unit"))
    with People(DATASET, spread()) as people:
        assert people.ratio(sql) == 1


def test_the_facet_and_a_key_of_the_person_are_counted_by_its_flag() -> None:
    sql = (
        "SELECT p.sex, v.dept, COUNT(DISTINCT v.patient_id) FROM visits v JOIN patients p USING (patient_id) "
        "GROUP BY p.sex, v.dept"
    )
    (tally,) = tallies(parse(sql, DATASET))
    assert {"style": tally.style, "norm": tally.norm} == BY_FLAG
    with People(DATASET, spread()) as people:
        assert 0.99 < people.ratio(sql) <= 1


def test_the_facet_alone_is_counted_by_its_flag() -> None:
    sql = "SELECT dept, COUNT(DISTINCT patient_id) FROM visits GROUP BY dept"
    (tally,) = tallies(parse(sql, DATASET))
    assert {"style": tally.style, "norm": tally.norm} == BY_FLAG
    with People(DATASET, spread()) as people:
        assert 0.99 < people.ratio(sql) <= 1


def test_a_left_join_by_another_key_does_not_make_a_column_one_of_the_person() -> None:
    """Matched for some rows and not for others, the sex of the joined side would have two values: NULL and F."""
    sql = (
        "SELECT p.sex, COUNT(DISTINCT d.patient_id) FROM diagnoses d LEFT JOIN visits v USING (visit_id) "
        "LEFT JOIN patients p ON v.patient_id = p.patient_id GROUP BY p.sex"
    )
    (tally,) = tallies(parse(sql, DATASET))
    assert tally.norm.column == "unit_rows"
