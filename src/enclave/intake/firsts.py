"""Which row of a person stands first in a cell?

The one with the least table key. While a table is worked on, first rows are kept as one bit for every row it has, by the
row's number, sixty-four to a word: a join that looks words up by their number costs next to nothing, where a hash table of
millions of keys misses the processor's caches at each.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from enclave.intake.laid import ROW, staged
from enclave.intake.resource import Resource

_BITS = 64


def first(table: Resource) -> str:
    """What a grouping of the staged table selects to know its first row: the number of that row."""
    return f'arg_min({ROW}, "{table.key[0]}") AS first_'


def _columns(table: Resource) -> Sequence[str]:
    """The columns by whose cells first rows are known."""
    return tuple(dict.fromkeys([*(f.column for f in table.facets), *(k.column for k in table.keys)]))


def _of(table: Resource, column: str) -> str:
    """The name of the table of (word, bits) of a column."""
    return f'"firsts_{table.name}_{column}"'


def _words(table: Resource) -> str:
    """The name of the table of all words, with the bits of each column."""
    return f'"firsts_{table.name}"'


def keep(con: duckdb.DuckDBPyConnection, table: Resource, column: str, groups: str) -> None:
    """Keep the bits of `groups` (a table with `first_`) and drop it: the sorting wants the memory."""
    con.execute(
        f"CREATE OR REPLACE TABLE {_of(table, column)} AS SELECT first_ // {_BITS} AS word_, "
        f"bit_or(1::UBIGINT << (first_ % {_BITS})::UBIGINT) AS bits_ FROM {groups} GROUP BY word_"
    )
    con.execute(f"DROP TABLE {groups}")


def gather(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """Bring the bits of all columns together, in every word there is; `keep` was called for each."""
    if not (columns := _columns(table)):
        return
    bits = "".join(f', coalesce(c{n}.bits_, 0)::UBIGINT AS "{column}"' for n, column in enumerate(columns))
    joins = "".join(f" LEFT JOIN {_of(table, column)} c{n} ON c{n}.word_ = w.range" for n, column in enumerate(columns))
    words = f"range((SELECT coalesce(max({ROW}), 0) // {_BITS} + 1 FROM {staged(table)})) w"
    con.execute(
        f"CREATE OR REPLACE TABLE {_words(table)} AS SELECT w.range::INTEGER AS word_{bits} FROM {words}{joins}"
    )
    for column in columns:
        con.execute(f"DROP TABLE {_of(table, column)}")


def joined(table: Resource) -> str:
    """What brings its word to each staged row s; `gather` was called before."""
    return f" JOIN {_words(table)} w ON w.word_ = (s.{ROW} // {_BITS})::INTEGER" if _columns(table) else ""


def is_first(column: str) -> str:
    """Whether the staged row s, beside its word, is one."""
    return f'(w."{column}" >> (s.{ROW} % {_BITS})::UBIGINT) & 1 = 1'


def forget(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    con.execute(f"DROP TABLE IF EXISTS {_words(table)}")
