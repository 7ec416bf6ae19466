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
        'SELECT t0."group_0" AS k0, CAST(least(greatest(coalesce(sum(p0), 0::HUGEINT), -9223372036854775808::HUGEINT), '
        "9223372036854775807::HUGEINT) AS BIGINT) AS a0 FROM ("
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
    (one,) = statements("SELECT v.dept, COUNT(*) FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept")
    assert 'ON t0."visit_id" = t1."visit_id" AND t0."patient_id" = t1."patient_id"' in one.sql


def test_quotes_in_codes_are_doubled() -> None:
    (one,) = statements("SELECT CASE WHEN urgent THEN 'a''; --' ELSE 'b' END AS k, COUNT(*) FROM visits GROUP BY k")
    assert "'a''; --'" in one.sql


def test_filters_on_columns_reach_the_storage_bare() -> None:
    (one,) = statements("SELECT COUNT(*) FROM visits WHERE los_days > 3 AND admitted_on < '2023-01-01' AND dept = 'A'")
    assert """(t0."los_days" > 3) AND (t0."admitted_on" < DATE '2023-01-01') AND (t0."dept" = 'A')""" in one.sql
