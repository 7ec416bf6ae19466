"""Rows 8, 10, 12, 17, 19, 20, 21, 42 to 46: text that would run in the engine and bring rows, state or time out.

Whatever the grammar grows to: such text is refused before anything is charged, or what is emitted for it is our own SELECT
without the construct. Each control runs the same text in plain DuckDB, where it works.
"""

from __future__ import annotations

import re

import duckdb
import pytest
from tests.oracle.counterexamples import person, spread
from tests.oracle.extracts import DATASET, DX
from tests.oracle.persons import People

from enclave.errors import BadInput, Refused
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.question import parse

NEVER = re.compile(
    r"\b(sleep\w*|write_log|setseed|nextval|currval|macro|pragma|explain|summarize|duckdb_\w+|stats|query|query_table|"
    r"read_\w+|glob|getenv|current_\w+|now|random|uuid|error|having|tablesample|sample|limit|offset|min|any_value|mode|"
    r"list|array_agg|string_agg|group_concat|arg_max|arg_min|first|last|max_by|min_by|copy|attach|install|load|set)\s*[('\s]",
    re.IGNORECASE,
)
"""Words that no SQL of ours contains outside its literals."""


def ours(sql: str) -> list[str] | None:
    """What is emitted for the text, or None when it is refused in words."""
    try:
        plan = parse(sql, DATASET)
        statements = emitted(plan, tallies(plan))
    except (BadInput, Refused) as refused:
        assert refused.words("en")
        assert refused.exit_code in (2, 3)
        return None
    return [s.sql for s in statements]


def checked(sql: str) -> None:
    for text in ours(sql) or []:
        bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", "x", text)
        assert not NEVER.search(bare), (sql, text)
        assert [s.type for s in duckdb.extract_statements(text)] == [duckdb.StatementType.SELECT]


SIDE_EFFECTS = {
    "row 08 sleep": "SELECT COUNT(*) FROM visits WHERE sleep_ms(100) IS NULL",
    "row 08 log": "SELECT COUNT(*) FROM visits WHERE write_log('x') IS NULL",
    "row 10 seed": "SELECT COUNT(*) FROM visits WHERE setseed(0.5) IS NULL",
    "row 10 macro": "CREATE MACRO f(x) AS x + 1",
    "row 10 sequence": "SELECT nextval('s')",
    "row 10 variable": "SET VARIABLE x = 1",
    "row 10 temporary table": "CREATE TEMP TABLE t AS SELECT * FROM visits",
    "row 12 explain": "EXPLAIN ANALYZE SELECT COUNT(*) FROM visits",
    "row 12 summarize": "SUMMARIZE visits",
    "row 12 catalogue": "SELECT COUNT(*) FROM duckdb_tables()",
    "row 12 storage": "SELECT * FROM pragma_storage_info('visits')",
    "row 12 statistics": "SELECT stats(los_days) FROM visits",
    "row 12 describe": "DESCRIBE visits",
    "row 42 seed": "SELECT setseed(0.5), COUNT(*) FROM visits",
    "row 42 chance": "SELECT COUNT(*) FROM visits WHERE random() < 0.5",
    "row 42 a seeded sample": "SELECT COUNT(*) FROM visits USING SAMPLE 10% (bernoulli, 42)",
    "row 43 two statements": "SELECT COUNT(*) FROM visits; DROP TABLE visits",
    "row 43 query()": "SELECT COUNT(*) FROM query('SELECT 1')",
    "row 43 a file for a table": "SELECT COUNT(*) FROM '/etc/passwd'",
    "row 43 a quoted file": 'SELECT COUNT(*) FROM "/etc/passwd.csv"',
    "row 43 grouping sets": "SELECT dept, COUNT(*) FROM visits GROUP BY GROUPING SETS ((dept), ())",
    "row 43 rollup": "SELECT dept, COUNT(*) FROM visits GROUP BY ROLLUP (dept)",
    "row 43 pivot": "PIVOT visits ON dept USING count(*)",
    "row 43 an aggregate's order": "SELECT SUM(los_days ORDER BY read_text('/etc/passwd')) FROM visits",
    "row 43 look-alike": "SELECT COUNT(*) FROM vіsits",
    "row 43 lateral": "SELECT COUNT(*) FROM visits v, LATERAL (SELECT v.dept) AS x",
    "row 43 recursion": "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT COUNT(*) FROM r",
    "row 44 read": "SELECT COUNT(*) FROM read_text('/etc/passwd')",
    "row 44 copy": "COPY visits TO '/tmp/x.csv'",
    "row 44 attach": "ATTACH '/tmp/x.duckdb'",
    "row 44 install": "INSTALL httpfs",
    "row 44 environment": "SELECT COUNT(*) FROM visits WHERE getenv('HOME') = '/root'",
}


@pytest.mark.parametrize("sql", SIDE_EFFECTS.values(), ids=SIDE_EFFECTS.keys())
def test_what_acts_on_the_engine_is_refused(sql: str) -> None:
    assert ours(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT setseed(0.5)",
        "CREATE MACRO f(x) AS x + 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM range(9)",
        "SELECT count(*) FROM duckdb_tables()",
        "SELECT count(*) FROM query('SELECT 1')",
        "SELECT count(*) FROM read_text('/etc/hostname')",
        "SELECT count(*) FROM range(100) USING SAMPLE 10% (bernoulli, 42)",
    ],
)
def test_control_a_plain_engine_does_it(sql: str) -> None:
    duckdb.connect().execute(sql).fetchall()


RAW_ROWS = {
    "row 17 keys of the data": "SELECT visit_id, COUNT(*) FROM visits GROUP BY visit_id",
    "row 17 persons as keys": "SELECT patient_id, COUNT(*) FROM visits GROUP BY patient_id",
    "row 17 keys without bounds": "SELECT score, COUNT(*) FROM visits GROUP BY score",
    "row 19 having without an answer": "SELECT dept FROM visits GROUP BY dept HAVING COUNT(*) = 1",
    "row 19 persons by an exact count": "SELECT COUNT(*) FROM visits WHERE patient_id IN "
    "(SELECT patient_id FROM visits GROUP BY patient_id HAVING COUNT(*) = 7)",
    "row 19 a scalar aggregate": "SELECT COUNT(*) FROM visits WHERE los_days = (SELECT MAX(los_days) FROM visits)",
    "row 20 the first row": "SELECT AVG(los_days) FROM (SELECT * FROM visits ORDER BY los_days LIMIT 1)",
    "row 20 the rows": "SELECT * FROM visits LIMIT 5",
    "row 20 one column": "SELECT los_days FROM visits",
    "row 20 distinct": "SELECT DISTINCT dx FROM visits",
    "row 46 sample": "SELECT COUNT(*) FROM visits TABLESAMPLE 10%",
    "row 46 sampled rows": "SELECT COUNT(*) FROM (SELECT * FROM visits USING SAMPLE 5)",
    "row 21 qualify": "SELECT dept, COUNT(*) FROM visits GROUP BY dept QUALIFY row_number() OVER () = 1",
}


@pytest.mark.parametrize("sql", RAW_ROWS.values(), ids=RAW_ROWS.keys())
def test_rows_and_keys_of_the_data_are_refused(sql: str) -> None:
    assert ours(sql) is None


@pytest.mark.parametrize(
    "sql", [RAW_ROWS[n] for n in ("row 17 persons as keys", "row 19 having without an answer", "row 20 the first row")]
)
def test_control_in_a_plain_engine_they_show_one_person(sql: str) -> None:
    with People(DATASET, person([{"dept": "A", "los_days": 59}])) as people:
        people.connection.execute("USE extract")
        assert people.connection.execute(sql).fetchall() in ([("A",)], [(59.0,)], [(0, 1)])


def test_row_19_having_never_reaches_exact_numbers() -> None:
    """Refused, or a filter on what was released: the engine never sees it."""
    for condition in ("COUNT(*) = 1", "n > 0", "SUM(los_days) > 100"):
        checked(f"SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept HAVING {condition}")


def aggregates_of_duckdb() -> list[str]:
    listed = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    return sorted(name for (name,) in duckdb.connect().execute(listed).fetchall() if name.isidentifier())


def test_row_21_no_aggregate_of_the_engine_is_passed_on_raw() -> None:
    """Each of them, with one, two and three arguments: refused, or answered by sums and counts of our own."""
    names = aggregates_of_duckdb()
    assert len(names) > 60
    for name in names:
        for arguments in ("los_days", "dx", "los_days, fee", "los_days, 0.5", "dx, los_days, 3"):
            checked(f"SELECT {name}({arguments}) FROM visits")
    for name in ("min", "max", "any_value", "mode", "list", "string_agg", "arg_max", "first", "last", "array_agg"):
        assert ours(f"SELECT {name}(los_days) FROM visits") is None


def test_row_21_control_the_engine_gives_the_cell() -> None:
    with People(DATASET, person([{"los_days": 59}])) as people:
        told = people.connection.execute("SELECT max(los_days), list(dx) FROM extract.visits").fetchall()
        assert told == [(59, ["I10"])]


def test_row_45_distinct_values_of_one_person_cost_what_is_declared() -> None:
    """Refused, or no person exceeds the sensitivity that was declared for it."""
    for sql in (
        "SELECT COUNT(DISTINCT dx) FROM visits",
        "SELECT dept, COUNT(DISTINCT dx) AS n FROM visits GROUP BY dept",
    ):
        if ours(sql) is not None:
            with People(DATASET, spread()) as people:
                assert people.ratio(sql) <= 1
    with People(DATASET, spread()) as people:  # control: two codes of one person move the plain count by two
        (found,) = people.connection.execute("SELECT count(DISTINCT dx) FROM extract.visits").fetchall()
        assert 1 < found[0] <= len(DX)
