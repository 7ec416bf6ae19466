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


def test_a_count_by_facet_has_two_branches_over_the_stored_order() -> None:
    (one,) = statements("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept")
    assert one.sql == (
        "SELECT k0, CAST(least(greatest(coalesce(sum(a0), 0::HUGEINT), -9223372036854775808::HUGEINT), "
        "9223372036854775807::HUGEINT) AS BIGINT) AS a0 FROM ("
        'SELECT t0."dept" AS k0, CAST(count(*) AS HUGEINT) * 65536 AS a0 FROM "extract"."main"."visits" AS t0 '
        'WHERE TRUE AND t0."norm_dept" <= 1280 GROUP BY 1 UNION ALL '
        'SELECT k0, sum(w) AS a0 FROM (SELECT t0."dept" AS k0, 83886080 // t0."norm_dept" AS w '
        'FROM "extract"."main"."visits" AS t0 WHERE TRUE AND t0."norm_dept" > 1280) GROUP BY 1) GROUP BY 1'
    )


def test_tallies_under_one_norm_share_one_scan() -> None:
    found = statements("SELECT dept, COUNT(*), AVG(los_days), AVG(change), SUM(fee) FROM visits GROUP BY dept")
    assert [s.tallies for s in found] == [(0, 1, 2, 3, 4), (5,)]


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
