"""A text of fifty words that keeps the parser busy for minutes: it would hold up every project's questions at once.

The control is the parser itself on a short text of the same family: six steps more multiply its time.
"""

from __future__ import annotations

import contextlib
import time

import pytest
from sqlglot.errors import ErrorLevel, SqlglotError

from enclave.errors import Refused
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
