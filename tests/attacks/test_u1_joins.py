"""U1: a stored norm holds where every row is one row of its root, used once; what fans out takes the exact path or is
refused."""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, Row
from tests.oracle.persons import People

from enclave.errors import EnclaveError
from enclave.query.bounds import tallies
from enclave.query.question import parse

FANS_OUT = {
    "on a column that is no declared key": (
        "SELECT COUNT(*) FROM visits v JOIN diagnoses d ON v.dx = d.code",
        "query.join_not_declared",
    ),
    "no condition": ("SELECT COUNT(*) FROM visits, patients", "query.join_condition"),
    "natural": ("SELECT COUNT(*) FROM visits NATURAL JOIN patients", "query.not_in_grammar"),
    "cross": ("SELECT COUNT(*) FROM visits CROSS JOIN patients", "query.join_kind"),
    "right": ("SELECT COUNT(*) FROM visits v RIGHT JOIN patients p USING (patient_id)", "query.join_kind"),
    "full": ("SELECT COUNT(*) FROM visits v FULL JOIN patients p USING (patient_id)", "query.join_kind"),
    "positional": ("SELECT COUNT(*) FROM visits v POSITIONAL JOIN patients p", "query.not_in_grammar"),
    "asof": (
        "SELECT COUNT(*) FROM visits v ASOF JOIN patients p ON v.patient_id = p.patient_id",
        "query.not_in_grammar",
    ),
    "semi": ("SELECT COUNT(*) FROM visits v SEMI JOIN patients p USING (patient_id)", "query.join_kind"),
    "union all": ("SELECT COUNT(*) FROM visits UNION ALL SELECT COUNT(*) FROM visits", "query.set_operation"),
    "unnest": ("SELECT COUNT(*) FROM visits, UNNEST([1, 2, 3])", "query.only_tables"),
}


MEETS_MANY = {
    "two many-row tables on the person": "SELECT COUNT(*) FROM visits v JOIN diagnoses d ON v.patient_id = d.patient_id",
    "two many-row tables through the patient": "SELECT COUNT(*) FROM patients p JOIN visits v USING (patient_id) "
    "JOIN diagnoses d ON d.patient_id = p.patient_id",
    "left join from the one to the many": "SELECT COUNT(*) FROM patients p LEFT JOIN visits v USING (patient_id)",
    "a table with itself": "SELECT COUNT(*) FROM visits a JOIN visits b ON a.patient_id = b.patient_id",
    "stacked on itself": "SELECT COUNT(*) FROM (SELECT patient_id FROM visits UNION ALL SELECT patient_id FROM visits)",
}


@pytest.mark.parametrize("sql", MEETS_MANY.values(), ids=MEETS_MANY.keys())
def test_what_meets_many_is_weighed_by_its_own_length(sql: str) -> None:
    with People(DATASET, person([{}] * 20, many_diagnoses(50))) as people:
        assert 0.99 < people.ratio(sql) <= 1


@pytest.mark.parametrize(("sql", "code"), FANS_OUT.values(), ids=FANS_OUT.keys())
def test_what_fans_out_is_refused_in_words(sql: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        parse(sql, DATASET)
    assert refused.value.code == code
    assert refused.value.words("zh")


def many_diagnoses(count: int) -> list[Row]:
    return [{"diagnosis_id": at, "visit_id": at % 10, "patient_id": 0, "code": "I10", "rank": 1} for at in range(count)]


def test_control_such_a_join_multiplies_rows_under_a_stored_norm() -> None:
    with People(DATASET, person([{}] * 10, many_diagnoses(50))) as people:
        joined = "SELECT count(*) FROM extract.visits v JOIN extract.diagnoses d ON v.patient_id = d.patient_id"
        assert people.connection.execute(joined).fetchall() == [(500,)]
        weighed = (
            "SELECT sum(8 * 65536 * 256 // v.unit_rows) FROM extract.visits v JOIN extract.diagnoses USING (patient_id)"
        )
        ((moved,),) = people.connection.execute(weighed).fetchall()
        assert moved > 49 * 8 * 65_536
        assert people.ratio("SELECT COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id)") <= 1


def test_inner_joins_may_be_written_from_either_end() -> None:
    near = parse("SELECT p.sex, COUNT(*) FROM visits v JOIN patients p USING (patient_id) GROUP BY 1", DATASET)
    far = parse("SELECT p.sex, COUNT(*) FROM patients p JOIN visits v USING (patient_id) GROUP BY 1", DATASET)
    assert near == far
    assert near.root.name == "visits"


def test_the_row_of_another_person_never_touches_a_count() -> None:
    """A visit_id that leads to somebody else's visit matches nothing, whatever the build has missed."""
    rows = person([{"dept": "A"}])
    rows["diagnoses"] = [{"diagnosis_id": 0, "visit_id": 0, "patient_id": 1, "code": "I10", "rank": 1}]
    with People(DATASET, rows) as people:
        there = "SELECT COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) WHERE v.ward IS NULL OR v.ward <> 'A1'"
        assert people.ratio(there) == 0
        unsafe = "SELECT count(*) FROM extract.diagnoses d JOIN extract.visits v USING (visit_id)"
        assert people.connection.execute(unsafe).fetchall() == [(1,)]  # control


def test_what_is_carried_beside_a_row_is_weighed_by_the_row_that_carries_it() -> None:
    """Read beside the row or joined for, the same person moves the same cells, no further than paid."""
    rows = person([{"dept": "A", "ward": "A1"}, {"dept": "B", "ward": "B1"}] * 5, many_diagnoses(50))
    with People(DATASET, rows) as people:
        for far in ("dept", "ward"):
            sql = f"SELECT v.{far}, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.{far}"
            plan = parse(sql, DATASET)
            (cells,) = people.vectors(plan, tallies(plan))
            assert sorted(cells.values())[-2:] == [25 * (12 * 65536 * 256 // (50 * 256))] * 2
            assert people.ratio(sql) <= 1
