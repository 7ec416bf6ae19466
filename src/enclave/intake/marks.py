"""Which rows fail which tests, counted in the one scan that stages them?

Each staged row carries its outcomes as bits, sixty tests to a word; counting them is a scan of those words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from enclave.intake.laid import ROW
from enclave.intake.report import SHOWN_ROWS

_BITS = 60


def _word(n: int) -> str:
    return f"marks_{n}"


def marked(tests: Sequence[str]) -> Iterator[str]:
    """Columns that carry the outcomes of `tests` (SQL over a row; NULL counts as false)."""
    for n in range(0, len(tests), _BITS):
        bits = " | ".join(f"(coalesce({t}, false)::UBIGINT << {k})" for k, t in enumerate(tests[n : n + _BITS]))
        yield f"({bits}) AS {_word(n // _BITS)}"


def _is_marked(n: int) -> str:
    return f"{_word(n // _BITS)} & (1::UBIGINT << {n % _BITS}) <> 0"


def counted(con: duckdb.DuckDBPyConnection, table: str, tests: int) -> list[int]:
    """How many rows of `table` each test is true of."""
    if not tests:
        return []
    sums = ", ".join(f"count(*) FILTER (WHERE {_is_marked(n)})" for n in range(tests))
    return [int(n) for n in con.execute(f"SELECT {sums} FROM {table}").fetchall()[0]]


_VECTOR = 2048
"""So far a join may move a row when rows are staged: within one vector of the engine."""


def reach(con: duckdb.DuckDBPyConnection, table: str, tests: Sequence[int]) -> dict[int, int]:
    """For each test, how many raw rows hold the first `SHOWN_ROWS` it is true of, in the order they were read."""
    if not tests:
        return {}
    first = ", ".join(f"list_max(min({ROW}, {SHOWN_ROWS}) FILTER (WHERE {_is_marked(n)}))" for n in tests)
    found = con.execute(f"SELECT {first} FROM {table}").fetchall()[0]
    return {n: int(last or 0) + 2 * _VECTOR for n, last in zip(tests, found, strict=True)}
