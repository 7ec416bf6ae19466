"""Whatever is typed: it is refused with one of our errors, or becomes our own SELECT, which the engine can bind."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET
from tests.oracle.persons import People
from tests.oracle.questions import ANSWERED

from enclave.errors import BadInput, Refused
from enclave.query.bounds import tallies
from enclave.query.emit import emitted
from enclave.query.question import parse

WORDS = sorted({word for sql in ANSWERED for word in sql.replace("(", " ( ").replace(")", " ) ").split()})
STRANGE = [
    *(
        "//",
        "%",
        "::",
        "||",
        "->",
        "'x.csv'",
        '"',
        "'",
        ";",
        "--",
        "/*",
        "*/",
        "$1",
        "?",
        "@x",
        "{",
        "}",
        "[1]",
        ":=",
        "\\",
    ),
    *(
        "TRY(",
        "error('x')",
        "read_text('/etc/passwd')",
        "sleep_ms(9)",
        "COLUMNS(*)",
        "UNNEST([1])",
        "FILTER",
        "QUALIFY",
    ),
    *("PIVOT", "SAMPLE", "OVER ()", "POSITIONAL JOIN", "ASOF JOIN", "GROUPING SETS ((dept), ())", "CUBE (dept)", "ALL"),
    *(
        "UNION ALL",
        "EXCEPT",
        "LATERAL",
        "WITH x AS",
        "EXCLUDE",
        "REPLACE",
        "USING SAMPLE 1",
        "CURRENT_DATE",
        "random()",
    ),
    *(
        "NULL",
        "TRUE",
        "0x1F",
        "1e400",
        "NaN",
        "'infinity'::DATE",
        "INTERVAL 1 DAY",
        "DATE '2023-01-01'",
        "ROW(1)",
        "😀",
    ),
    *(
        "LAMBDA",
        "x -> x",
        "dept.x",
        "visits.*",
        "#1",
        "$$x$$",
        "E'\\n'",
        "X'00'",
        "AT TIME ZONE",
        "ESCAPE",
        "SIMILAR TO",
    ),
]
TOKENS = st.sampled_from(WORDS + STRANGE)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good question with a few words replaced, dropped, doubled or added."""
    words = draw(st.sampled_from(ANSWERED)).replace("(", " ( ").replace(")", " ) ").split()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(words) - 1)))
        words[at : at + draw(st.integers(0, 2))] = draw(st.lists(TOKENS, max_size=3))
    return " ".join(words)


@pytest.fixture(scope="module")
def people() -> People:
    return People(DATASET, person([{}]))


def check(sql: str, people: People) -> None:
    try:
        plan = parse(sql, DATASET)
        statements = emitted(plan, tallies(plan))
    except (BadInput, Refused) as refused:
        assert refused.words("en")
        assert refused.words("zh")
        return
    for statement in statements:
        assert statement.sql.startswith("SELECT ")
        assert [s.type for s in duckdb.extract_statements(statement.sql)] == [duckdb.StatementType.SELECT]
        rows = people.connection.execute(statement.sql).fetchall()
        assert all(total is None or type(total) is int for row in rows for total in row[statement.keys :])


@settings(max_examples=400, deadline=None)
@given(mutated())
@example("SELECT COUNT(*) FROM visits WHERE CASE WHEN urgent THEN CASE WHEN urgent THEN TRUE END END")
@example("SELECT COUNT(*) FROM visits WHERE ((los_days IN (1, 2)) IN (TRUE)) IN (FALSE)")
@example("SELECT COUNT(*) FROM visits WHERE los_days IN ()")
@example("SELECT COALESCE(dept, dx) AS k, COUNT(*) FROM visits GROUP BY k")
@example("SELECT dept = dx AS k, COUNT(*) FROM visits GROUP BY k")
@example("SELECT 'a' = 'a' AS k, COUNT(*) FROM visits GROUP BY k")
@example("SELECT COUNT(*) FROM visits WHERE COALESCE(dept, 'B') IN ('A', 'B')")
@example("SELECT SUM(CASE dept WHEN 'A' THEN 1 ELSE 0 END) FROM visits")
@example("SELECT COUNT(admitted_on), COUNT(visit_id), COUNT(dept), COUNT(urgent AND dx = 'I10') FROM visits")
@example("SELECT COUNT('x'), COUNT(DATE '2023-01-01'), COUNT(1 + 2) FROM visits")
@example("SELECT COUNT(*) FROM (SELECT patient_id, patient_id FROM visits GROUP BY patient_id)")
@example("WITH a AS (SELECT patient_id, NULL AS n FROM visits) SELECT COUNT(n) FROM a")
@example("WITH a AS (SELECT patient_id, 'x' AS n FROM visits) SELECT n, COUNT(*) FROM a GROUP BY n")
@example(
    "WITH a AS (SELECT patient_id, COUNT(*) * 9 - MIN(los_days) AS n FROM visits GROUP BY 1, 'k') SELECT SUM(n) FROM a"
)
@example(
    "SELECT COUNT(*) FROM visits v JOIN visits w ON (v.patient_id = w.patient_id) JOIN patients p USING (patient_id)"
)
@example(
    "SELECT SUM(n) / SUM(n) FROM (SELECT patient_id, score AS n FROM visits UNION ALL SELECT patient_id, age FROM patients)"
)
@example("SELECT dept, COUNT(*) FILTER (WHERE urgent) + 1 AS n FROM visits GROUP BY 1 HAVING -n < -3 OR NOT (n = 2)")
@example("SELECT COUNT(*) FROM visits WHERE -1 < los_days AND (los_days) BETWEEN (change) AND (fee)")
def test_a_mutated_question_is_refused_or_ours(people: People, sql: str) -> None:
    check(sql, people)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(TOKENS, max_size=25).map(" ".join)))
def test_any_text_is_refused_or_ours(people: People, sql: str) -> None:
    check(sql, people)


@pytest.mark.parametrize("part", ["(", "NOT ", "- ", "CASE WHEN ", "urgent AND ", "1 + ", "COALESCE(", "x.", "[", "/*"])
def test_long_and_deep_text_is_refused_not_a_crash(people: People, part: str) -> None:
    for times in (60, 900, 5_000, 20_000):
        check("SELECT COUNT(*) FROM visits WHERE " + part * times + "urgent", people)


def test_many_columns_are_counted_before_they_are_parsed(people: People) -> None:
    check("SELECT " + ", ".join(f"c{i}" for i in range(10_000)) + " FROM visits", people)
