"""What may be computed within one person: bounds that hold, refusals in words with their place."""

from __future__ import annotations

import pytest
from tests.oracle.counterexamples import person, spread
from tests.oracle.extracts import DATASET
from tests.oracle.persons import People

from domicile.wire.words import catalogue
from enclave.errors import EnclaveError
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.plan import Plan
from enclave.query.price import prepare
from enclave.query.question import parse


def per(inner: str, outer: str = "SUM(n)") -> str:
    return f"SELECT {outer} FROM (SELECT patient_id, {inner} AS n FROM visits GROUP BY patient_id)"


REFUSED = [
    ("SELECT COUNT(*) FROM (SELECT * FROM visits)", "within.star", "line 1, column"),
    ("SELECT COUNT(*) FROM (SELECT dept FROM visits)", "within.unit", "line 1"),
    ("SELECT COUNT(*) FROM (SELECT patient_id AS p, dept FROM visits)", "within.unit", None),
    ("SELECT COUNT(*) FROM (SELECT patient_id, patient_id FROM visits)", "within.unit", None),
    ("SELECT SUM(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits)", "within.group", None),
    ("SELECT SUM(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY dept)", "within.group", None),
    (per("AVG(fee * 1000000)"), "within.average", "line 1"),
    (per("SUM(DISTINCT fee)"), "within.distinct", None),
    ("SELECT COUNT(*) FROM (SELECT patient_id, dept FROM visits LIMIT 3)", "within.clause", None),
    ("SELECT COUNT(*) FROM (SELECT DISTINCT patient_id FROM visits)", "within.clause", None),
    ("SELECT COUNT(*) FROM (SELECT patient_id FROM visits UNION SELECT patient_id FROM visits)", "within.union_all", None),
    ("SELECT COUNT(*) FROM (SELECT patient_id FROM visits EXCEPT SELECT patient_id FROM visits)", "within.union_all", None),
    (
        "SELECT COUNT(*) FROM (SELECT patient_id, dept FROM visits UNION ALL SELECT patient_id FROM visits)",
        "within.union_columns",
        None,
    ),
    ("SELECT COUNT(*) FROM (" + " UNION ALL ".join(["SELECT patient_id FROM visits"] * 7) + ")", "within.branches", None),
    ("SELECT COUNT(*) FROM " + "(SELECT patient_id FROM " * 5 + "visits" + ")" * 5, "within.levels", None),
    ("WITH c0 AS (SELECT patient_id FROM visits)"
     + "".join(f", c{i} AS (SELECT patient_id FROM c{i - 1} UNION ALL SELECT patient_id FROM c{i - 1})" for i in range(1, 9))
     + " SELECT COUNT(*) FROM c8", "within.selects", "line 1"),
    (per(", ".join(f"COUNT(*) + {i} AS n{i}, 1" for i in range(20))), "within.columns", None),
    ("SELECT SUM(n) FROM (SELECT v.patient_id, COUNT(*) AS n FROM visits v JOIN diagnoses d USING (patient_id) GROUP BY 1)",
     "within.many", None),
    ("SELECT COUNT(v.visit_id), COUNT(d.diagnosis_id) FROM visits v JOIN diagnoses d USING (patient_id)",
     "within.too_many_rows", ""),
    (per("COUNT(*)") + " WHERE n > 50", "within.beyond_clip", "line 1"),
    (per("SUM(los_days)") + " WHERE n BETWEEN 3 AND 40", "within.beyond_clip", "line 1"),
    ("WITH visits AS (SELECT patient_id FROM patients) SELECT COUNT(*) FROM visits", "query.duplicate_alias", None),
    ("WITH RECURSIVE r AS (SELECT patient_id FROM visits) SELECT COUNT(*) FROM r", "query.not_in_grammar", None),
    ("WITH a AS (SELECT patient_id FROM b), b AS (SELECT patient_id FROM visits) SELECT COUNT(*) FROM a",
     "query.unknown_table", None),
    (per("dept"), "query.not_grouped", "line 1"),
    (per("SUM(score)"), "query.no_bounds", None),
    (per("COUNT(*)", "patient_id, SUM(n)"), "query.unit_key", None),
    (per("COUNT(*)") + " WHERE patient_id = 3", "query.unit_key", None),
    ("SELECT n, SUM(m) FROM (SELECT patient_id, COUNT(*) AS n, COUNT(*) AS n FROM visits GROUP BY 1) GROUP BY n",
     "query.duplicate_alias", None),
    ("SELECT COUNT(*) FROM (SELECT patient_id, SUM(COUNT(*)) AS n FROM visits GROUP BY 1)", "query.aggregate_here", None),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "code", "place"), REFUSED, ids=[f"{c}:{s[:50]}" for s, c, _ in REFUSED])
def test_it_is_refused_in_words_with_its_place(sql: str, code: str, place: str | None) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, "1")
    assert refused.value.code == code, refused.value.words("en")
    assert refused.value.words("zh")
    if place != "":
        assert refused.value.place
        assert refused.value.place.startswith(place or "line")


def test_every_refusal_within_one_person_is_tried() -> None:
    tried = {c for _, c, _ in REFUSED if c.startswith("within.")} | {"within.too_many_persons"}  # test_held
    assert {c for c in catalogue() if c.startswith("within.")} == tried


@pytest.mark.parametrize(
    ("inner", "reach"),
    [
        ("COUNT(*)", 8),  # the row_clip of visits
        ("COUNT(DISTINCT dx)", 4),  # as many codes
        ("COUNT(DISTINCT visit_id)", 8),
        ("LEAST(COUNT(*), 50)", 50),
        ("LEAST(COUNT(*), 3)", 3),
        ("SUM(los_days)", 40),  # its total_clip
        ("SUM(los_days * 2)", 960),  # 8 rows of at most 120
        ("LEAST(SUM(los_days), 1000)", 1000),
        ("GREATEST(LEAST(SUM(change), 5), -9)", 9),
        ("MAX(los_days)", 60),
        ("COUNT(*) + 5", 13),
        ("CASE WHEN COUNT(*) > 3 THEN 1 ELSE 0 END", 1),
    ],
)
def test_what_one_person_may_add_is_proved(inner: str, reach: int) -> None:
    (tally,) = tallies(parse(per(inner), DATASET))
    assert tally.sensitivity == reach * 65_536
    with People(DATASET, spread(20)) as people:
        assert 0 < people.ratio(per(inner)) <= 1


def test_control_a_count_without_its_clip_exceeds_what_is_claimed() -> None:
    with People(DATASET, spread(20)) as people:
        plain = "SELECT sum(n) FROM (SELECT patient_id, count(*) AS n FROM extract.visits GROUP BY patient_id)"
        assert people.connection.execute(plain).fetchall() == [(120,)]
        assert people.vectors(*planned(per("COUNT(*)")))[0] == {(): 8 * 65_536}


def planned(sql: str) -> tuple[Plan, tuple]:  # type: ignore[type-arg]  # tallies, whatever they are
    plan = parse(sql, DATASET)
    return plan, tallies(plan)


def test_a_person_without_values_adds_nothing() -> None:
    with People(DATASET, person([{"los_days": None}, {"los_days": None}])) as people:
        assert people.vectors(*planned(per("SUM(los_days)", "COUNT(n)")))[0] == {(): 0}
        assert people.vectors(*planned(per("GREATEST(SUM(los_days), 5)", "SUM(n)")))[0] == {(): 5 * 65_536}


def test_a_bound_that_is_written_may_be_compared_with() -> None:
    for sql in (per("LEAST(COUNT(*), 100)") + " WHERE n > 50", per("COUNT(*)") + " WHERE n >= 7 AND n > 0"):
        assert parse(sql, DATASET).where


def test_having_looks_at_counts_as_they_are() -> None:
    """A condition moves no number: beyond the clip it still tells 120 rows from 100."""
    for limit, found in ((100, 1), (130, 0)):
        sql = "SELECT COUNT(*) FROM (SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) > " + f"{limit})"
        with People(DATASET, spread(20)) as people:
            assert people.vectors(*planned(sql))[0] == {(): found * 65_536}


def test_subquery_and_with_are_one_plan_for_the_engine() -> None:
    inner = "SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id"
    one = prepare(f"SELECT AVG(n) FROM ({inner})", DATASET, "1")
    other = prepare(f"WITH per AS ({inner}) SELECT AVG(n) FROM per", DATASET, "1")
    assert one.answer_key == other.answer_key
    assert "COUNT at most 8 (row_clip of visits)" in one.quote.mechanisms[0].bound


@pytest.mark.parametrize(
    ("renamed", "plain"),
    [
        (
            "WITH v AS (SELECT patient_id, dept AS d, los_days * 2 AS l FROM visits WHERE urgent) "
            "SELECT d, AVG(l), COUNT(*) FROM v WHERE l > 3 GROUP BY d",
            "SELECT dept AS d, AVG(los_days * 2), COUNT(*) FROM visits WHERE urgent AND los_days * 2 > 3 GROUP BY dept",
        ),
        (
            "SELECT p.sex, w.dept, SUM(w.fee) FROM (SELECT v.patient_id, v.dept, v.fee FROM diagnoses d "
            "JOIN visits v USING (visit_id)) w JOIN patients p USING (patient_id) GROUP BY 1, 2",
            "SELECT p.sex, v.dept, SUM(v.fee) FROM diagnoses d JOIN visits v USING (visit_id) "
            "JOIN patients p ON p.patient_id = d.patient_id GROUP BY 1, 2",
        ),
        (
            "SELECT COUNT(*) FROM (SELECT patient_id, x FROM (SELECT patient_id, dx AS x FROM visits)) WHERE x = 'I10'",
            "SELECT COUNT(*) FROM visits WHERE dx = 'I10'",
        ),
    ],
)
def test_rows_that_are_only_renamed_keep_their_stored_norm(renamed: str, plain: str) -> None:
    one, other = parse(renamed, DATASET), parse(plain, DATASET)
    assert not one.exact
    assert emitted(one, tallies(one)) == emitted(other, tallies(other))


def test_a_grant_is_held_against_what_stands_inside() -> None:
    plan = parse(
        "SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) FILTER (WHERE urgent) AS n FROM visits GROUP BY 1)", DATASET
    )
    assert plan.variables == {("visits", "patient_id"), ("visits", "urgent")}


def test_a_subquery_never_stands_for_the_table_whose_name_it_takes() -> None:
    """Uniqueness is declared of the table, not of its name."""
    sql = (
        "SELECT COUNT(*) FROM visits v JOIN (SELECT patient_id, code FROM diagnoses) AS patients "
        "ON v.patient_id = patients.patient_id"
    )
    with People(DATASET, spread(20)) as people:
        try:
            assert people.ratio(sql) <= 1
        except EnclaveError as refused:
            assert refused.code == "query.join_not_declared"


def test_no_person_makes_a_many_to_many_join_overflow() -> None:
    """A million rows agree on each side with the largest values there are: widths hold, the weight is 0 or next to it."""
    rows = person([{"fee": 5_000_000}], [{"diagnosis_id": 0, "visit_id": 0, "patient_id": 0, "code": "I10", "rank": 5}])
    sql = "SELECT SUM(v.fee * d.rank), AVG(v.fee * v.fee), COUNT(*) FROM visits v JOIN diagnoses d USING (patient_id)"
    with People(DATASET, rows) as people:
        for table in ("visits", "diagnoses"):
            people.connection.execute(f"INSERT INTO extract.{table} SELECT t.* FROM extract.{table} t, range(1000000)")
        assert people.ratio(sql) <= 1
