"""A text of fifty words that keeps the parser busy for minutes: it would hold up every project's questions at once.

The control is the parser itself on a short text of the same family: six steps more multiply its time.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import replace

import pytest
from sqlglot.errors import ErrorLevel, SqlglotError
from tests.oracle.extracts import DATASET

from enclave.catalogue.dataset import Table
from enclave.errors import Refused
from enclave.query.functions import wanted_by
from enclave.query.price import prepare
from enclave.query.size import DUCKDB, MOST_TOKENS, sized

FAMILIES = {
    "joins": ("SELECT 1 FROM a ", "JOIN b ", ""),
    "types": ("SELECT ", "DATE(", ")"),
    "arrays": ("SELECT ", "ARRAY[", "]"),
    "structs": ("SELECT ", "STRUCT(", ")"),
    "limits": ("SELECT f(", "f( 1 LIMIT ", ")"),
    "from first": ("SELECT 1 FROM a ORDER BY ", "b , ( FROM ", ""),
}


def text(family: str, steps: int) -> str:
    start, step, end = FAMILIES[family]
    return start + step * steps + "1" + end * steps


def parse_ms(sql: str) -> float:
    """CPU of the bare parser: the better of three."""
    best = float("inf")
    for _ in range(3):
        tokens, start = DUCKDB.tokenize(sql), time.thread_time()
        with contextlib.suppress(SqlglotError, TypeError):
            DUCKDB.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
        best = min(best, time.thread_time() - start)
    return 1_000 * best


@pytest.mark.parametrize("family", FAMILIES)
def test_what_keeps_a_parser_busy_is_refused_before_it_runs(family: str) -> None:
    assert parse_ms(text(family, 12)) > 8 * parse_ms(text(family, 6)), (
        "the control: double the steps, many times the work"
    )
    with pytest.raises(Refused) as refused:
        sized(text(family, 40))
    assert refused.value.code in {"query.join_condition_missing", "query.too_deep", "query.limit"}
    assert refused.value.place


@pytest.mark.parametrize("family", ["types", "arrays", "structs"])
def test_a_text_full_of_the_deepest_that_is_read_costs_no_more_than_its_length(family: str) -> None:
    _, step, end = FAMILIES[family]
    block = step * 4 + "1" + end * 4
    full = "SELECT " + ", ".join([block] * (MOST_TOKENS // 16))
    tenth = "SELECT " + ", ".join([block] * (MOST_TOKENS // 160))
    sized(full)
    assert parse_ms(full) < 40 * parse_ms(tenth)


def test_joins_that_say_their_condition_are_read_at_every_depth() -> None:
    inner = "(SELECT p.x FROM p JOIN q ON p.a = q.a)"
    sized(f"SELECT COUNT(*) FROM v JOIN {inner} s ON v.a = s.a LEFT JOIN w USING (a) LIMIT 5")


def fitting_ms(wanted: re.Pattern[str], letters: int) -> float:
    start = time.thread_time()
    wanted.fullmatch("a" * letters)
    return 1_000 * (time.thread_time() - start)


def test_a_pattern_never_goes_back() -> None:
    """LIKE '%a%a%…b' over a code of many a: the control, % as .*, tries every way to share them out."""
    pieces = ["a"] * 9 + ["b"]
    plain = re.compile(".*" + ".*".join(pieces))
    ours = wanted_by("%" + "%".join(pieces))
    assert fitting_ms(plain, 20) > 20 * fitting_ms(ours, 20)
    assert ours.fullmatch("a" * 9 + "b") and not ours.fullmatch("a" * 5_000)


def long_list(table: Table) -> Table:
    codes = tuple(f"X{at:05}" for at in range(12_500))
    return replace(table, columns=tuple(replace(c, codes=codes) if c.name == "dx" else c for c in table.columns))


def test_no_question_looks_through_a_long_list_for_ever() -> None:
    dataset = replace(DATASET, tables=tuple(long_list(t) for t in DATASET.tables))
    asked = "SELECT COUNT(*) FROM visits WHERE {}"
    few = " OR ".join(f"dx LIKE '_0{at:03}%'" for at in range(20))
    assert prepare(asked.format(few), dataset, "1")
    for one in ("dx LIKE '%{}'", "STARTS_WITH(dx, '{}')", "LEFT(dx, 2) = 'X{}'"):
        with pytest.raises(Refused) as refused:
            prepare(asked.format(" OR ".join(one.format(at % 2) for at in range(200))), dataset, "1")
        assert refused.value.code == "query.many_patterns"
        assert refused.value.place
