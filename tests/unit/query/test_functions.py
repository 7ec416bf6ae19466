"""Every function means in our SQL what it means in plain DuckDB: on NULLs, signs and extremes, within its bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.oracle.extracts import DATASET, random_rows
from tests.oracle.persons import People

from enclave.errors import EnclaveError
from enclave.query.functions import wanted_by
from enclave.query.question import parse
from enclave.query.written import number

DAYS = "DATE_DIFF('day', COALESCE(admitted_on, DATE '2022-01-01'), GREATEST(admitted_on, DATE '2022-06-01'))"
FUNCTIONS = [
    "FLOOR(change / 2)", "CEIL(change / 2)", "ROUND(change / 2)", "ROUND(change / 4, 1)", "ROUND(los_days, 2)",
    "FLOOR(los_days / 10)", "los_days // 7", "los_days % 7", "COALESCE(los_days, 3) % 4", "change / -3",
    "change * 0.5 / 2.5", "NULLIF(los_days, 7)", "IFNULL(change, 0)", "IF(urgent, 1, 0)",
    "YEAR(admitted_on)", "QUARTER(admitted_on)", "MONTH(admitted_on)", "DAY(admitted_on)", "ISODOW(admitted_on)",
    "DAYOFWEEK(admitted_on)", "DAYOFYEAR(admitted_on)", "WEEK(admitted_on)",
    "EXTRACT(doy FROM admitted_on)", "EXTRACT(quarter FROM admitted_on)",
    "DATE_DIFF('day', DATE '2023-01-01', admitted_on)", "admitted_on - DATE '2020-05-05'",
    "DATE_DIFF('month', DATE '2022-12-31', admitted_on)", "DATE_DIFF('quarter', admitted_on, DATE '2022-12-31')",
    "DATE_DIFF('year', admitted_on, DATE '2022-12-31')", DAYS,
    "YEAR(CASE WHEN urgent THEN admitted_on ELSE DATE '2021-05-05' END)",
    "CASE WHEN dx LIKE 'E%' THEN 1 WHEN dx NOT LIKE '_1%' THEN 2 ELSE 3 END", "CASE WHEN dx LIKE 'zz' THEN 1 ELSE 0 END",
    "CASE WHEN STARTS_WITH(ward, 'A') THEN 1 END", "CASE WHEN finding LIKE 'I1%' THEN 1 ELSE 0 END",
    "CASE WHEN SUBSTRING(ward, 1, 2) = 'A1' THEN 1 ELSE 0 END",
    "CASE WHEN STARTS_WITH(finding, 'E11.2') THEN 1 END", "CASE WHEN LEFT(ward, 1) IN ('A', 'C') THEN 1 ELSE 0 END",
]  # fmt: skip


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(DATASET, random_rows(60, seed=4)) as made:
        made.connection.execute("USE extract")
        yield made


@pytest.mark.parametrize("text", FUNCTIONS)
def test_it_is_what_plain_sql_says_and_within_its_bounds(people: People, text: str) -> None:
    (aggregate,) = parse(f"SELECT SUM({text}) FROM visits", DATASET).aggregates
    term = aggregate.term
    assert term is not None and term.type.lower is not None and term.type.upper is not None
    ours = people.connection.execute(f"SELECT {number(term)} FROM visits t0 ORDER BY visit_id").fetchall()
    plain = people.connection.execute(f"SELECT {text} FROM visits ORDER BY visit_id").fetchall()
    for (mine,), (theirs,) in zip(ours, plain, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is None:
            assert term.type.nullable
            continue
        assert type(mine) is int
        assert term.type.lower <= mine <= term.type.upper
        assert mine / term.type.scale == pytest.approx(float(theirs), abs=1e-9)


PATTERNS = [
    "%",
    "_",
    "a%",
    "%a",
    "%a%",
    "a_c",
    "a%b%c",
    "%%_%",
    "a%a",
    "",
    "%.%",
    "a\\b",
    "甲_%",
    "%乙",
    "(%)",
    "_%_",
    "%ab%ab%",
]
WRITTEN = [
    "",
    "a",
    "abc",
    "aXbYc",
    "aa",
    "a.b",
    "a\\b",
    "甲乙",
    "甲乙丙",
    "(x)",
    "ab\nab",
    "abab",
    "babc",
    "ABC",
    "e\u0301x",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_fits_what_the_engine_says_it_fits(people: People, pattern: str) -> None:
    for text in WRITTEN:
        (said,) = people.connection.execute("SELECT ?::VARCHAR LIKE ?", [text, pattern]).fetchall()[0]
        assert (wanted_by(pattern).fullmatch(text) is not None) == said, text


def test_letters_of_a_listed_code_are_listed() -> None:
    (key,) = parse("SELECT LEFT(ward, 1) AS w, COUNT(*) FROM visits GROUP BY w", DATASET).keys
    assert key.domain == ("A", "B", "C", "D", "E", "F", None)


def test_control_engines_disagree_on_negative_quotients_so_floor_must_be_said(people: People) -> None:
    assert people.connection.execute("SELECT -7 // 2, FLOOR(-7 / 2)").fetchall() == [(-3, -4.0)]
    with pytest.raises(EnclaveError) as refused:
        parse("SELECT SUM(change // 2) FROM visits", DATASET)
    assert refused.value.code == "query.division"
