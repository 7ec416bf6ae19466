"""Our own SQL, byte for byte, and nothing of the analyst's."""

from __future__ import annotations

import pytest
from tests.oracle.extracts import DATASET
from tests.oracle.questions import ANSWERED

from enclave.query.bounds import tallies
from enclave.query.emit import Statement, emitted
from enclave.query.question import parse


def statements(sql: str) -> tuple[Statement, ...]:
    plan = parse(sql, DATASET)
    return emitted(plan, tallies(plan))


def test_a_count_by_facet_counts_whole_and_takes_away_what_is_over() -> None:
    (one,) = statements("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept")
    rows = 'FROM "extract"."main"."visits" AS t0 WHERE TRUE'
    assert one.sql == (
        'SELECT t0."group_0" AS k0, sum(p0) AS a0 FROM ('
        f'SELECT t0."dept" AS group_0, CAST(count(*) AS HUGEINT) * 65536 AS p0 {rows} GROUP BY 1 UNION ALL '
        f'SELECT t0."dept" AS group_0, -sum((65536 - 83886080 // t0."norm_dept")) AS p0 {rows} '
        'AND t0."norm_dept" > 1280 GROUP BY 1 UNION ALL '
        f'SELECT t0."dept" AS group_0, -(CAST(count(*) AS HUGEINT) * 65536) AS p0 {rows} '
        'AND t0."norm_dept" IS NULL GROUP BY 1) AS t0 GROUP BY 1'
    )


def test_tallies_share_one_scan_whatever_their_norms() -> None:
    (one,) = statements("SELECT dept, COUNT(*), AVG(los_days), AVG(change), SUM(fee) FROM visits GROUP BY dept")
    assert one.tallies == (0, 1, 2, 3, 4, 5)
    assert one.sql.count("UNION ALL") == 4  # for each of two norms what is over, and what has none
    apart = statements("SELECT dept, COUNT(*), CORR(los_days, fee) FROM visits GROUP BY dept")
    assert [s.tallies for s in apart] == [(0,), (1, 2, 3, 4, 5, 6)]  # a pair with a NULL is no pair


def test_values_and_keys_of_short_lists_are_computed_once_for_each_group() -> None:
    (one,) = statements("SELECT dept = 'A' AS a, AVG(los_days) FROM visits GROUP BY a")
    scan = one.sql.split(" FROM (", 1)[1]
    assert 'SELECT t0."dept" AS group_0, t0."los_days" AS group_1, CAST(count(*)' in scan
    assert "least(" not in scan
    assert "= 'A'" not in scan


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT dept, AVG(fee) FROM visits GROUP BY dept",  # too many values
        "SELECT AVG(los_days) FROM visits",  # no groups to add one to
        "SELECT dept, AVG(los_days) FROM (SELECT patient_id, dept, los_days FROM visits UNION ALL "
        "SELECT patient_id, dept, los_days FROM visits) GROUP BY dept",  # the vector is over the keys, not finer
    ],
)
def test_other_values_are_added_row_by_row(sql: str) -> None:
    (one,) = statements(sql)
    assert "group_1" not in one.sql
    assert "sum(" in one.sql.split(" FROM (", 1)[1]


@pytest.mark.parametrize("sql", ANSWERED)
def test_emission_is_the_same_each_time(sql: str) -> None:
    assert statements(sql) == statements(sql)


def test_names_comments_and_aliases_of_the_analyst_never_reach_the_engine() -> None:
    (one,) = statements(
        'SELECT /* x\'); DROP */ v.dept AS "a\'b""c", COUNT(*) AS evil FROM visits AS evil2 '
        "-- evil3\nJOIN patients v2 ON evil2.patient_id = v2.patient_id GROUP BY evil2.dept".replace(
            "v.dept", "evil2.dept"
        )
    )
    assert "evil" not in one.sql
    assert "DROP" not in one.sql
    assert "a'b" not in one.sql


def test_a_join_on_another_key_must_agree_on_the_person() -> None:
    (one,) = statements("SELECT v.ward, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.ward")
    assert 'ON t0."visit_id" = t1."visit_id" AND t0."patient_id" = t1."patient_id"' in one.sql


CARRIED = {
    "a visit's department": "SELECT v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
    "over two joins": "SELECT p.sex, v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) "
    "JOIN patients p ON v.patient_id = p.patient_id GROUP BY p.sex, v.dept",
    "nothing but the rows": "SELECT COUNT(*) FROM diagnoses d LEFT JOIN visits v USING (visit_id)",
    "within one person": "SELECT AVG(n) FROM (SELECT d.patient_id, COUNT(*) AS n FROM diagnoses d "
    "JOIN visits v USING (visit_id) WHERE v.urgent GROUP BY d.patient_id)",
}
JOINED = {
    "a column that stays there": "SELECT v.ward, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.ward",
    "behind a join that is needed": "SELECT p.age, v.ward, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) "
    "JOIN patients p ON v.patient_id = p.patient_id WHERE p.sex = 'F' GROUP BY p.age, v.ward",
    "rows that meet many": "SELECT p.sex, COUNT(*) FROM patients p JOIN visits v USING (patient_id) "
    "JOIN diagnoses d ON d.patient_id = p.patient_id GROUP BY p.sex",
}


@pytest.mark.parametrize("sql", CARRIED.values(), ids=CARRIED.keys())
def test_what_a_join_carries_is_read_beside_the_row(sql: str) -> None:
    plan = parse(sql, DATASET)
    (one, *_) = emitted(plan, tallies(plan))
    assert "JOIN" not in one.sql
    assert plan.variables >= {("visits", "visit_id")}, (
        "the grant is held against the text, not against what rests where"
    )


@pytest.mark.parametrize("sql", JOINED.values(), ids=JOINED.keys())
def test_what_is_not_carried_is_joined_for(sql: str) -> None:
    assert all("JOIN" in s.sql for s in statements(sql))


def test_rows_of_a_person_are_counted_at_intake_once_and_for_all() -> None:
    stored = statements("SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)")
    counted = statements("SELECT AVG(n) FROM (SELECT patient_id, COUNT(*) AS n FROM visits WHERE urgent GROUP BY 1)")
    assert '"unit_rows" AS BIGINT) // 256' in stored[0].sql
    assert '"first_unit"' in stored[0].sql
    assert "unit_rows" not in counted[0].sql


def test_quotes_in_codes_are_doubled() -> None:
    (one,) = statements("SELECT CASE WHEN urgent THEN 'a''; --' ELSE 'b' END AS k, COUNT(*) FROM visits GROUP BY k")
    assert "'a''; --'" in one.sql


def test_filters_on_columns_reach_the_storage_bare() -> None:
    (one,) = statements("SELECT COUNT(*) FROM visits WHERE los_days > 3 AND admitted_on < '2023-01-01' AND dept = 'A'")
    assert """(t0."los_days" > 3) AND (t0."admitted_on" < DATE '2023-01-01') AND (t0."dept" = 'A')""" in one.sql
