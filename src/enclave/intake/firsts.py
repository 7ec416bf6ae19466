"""Which row of a person stands first in a cell?

The one with the least table key. While a table is worked on, first rows are kept as one bit for every row it has, by the
row's number: looking it up costs nothing, where a hash table of millions of keys misses the processor's caches at each.
"""

from __future__ import annotations

import duckdb

from enclave.intake.columns import literal
from enclave.intake.package import Resource
from enclave.intake.stage import staged


def first(table: Resource) -> str:
    """What a grouping of the staged table selects to know its first row: the number of that row."""
    return f'arg_min(rowid, "{table.key[0]}") AS first_'


def _name(table: Resource, column: str) -> str:
    return f"first_{table.name}_{column}"


def keep(con: duckdb.DuckDBPyConnection, table: Resource, column: str, groups: str) -> None:
    """Keep the bits of `groups` (a table with `first_`) and drop it: the sorting wants the memory."""
    (last,) = con.execute(f"SELECT coalesce(max(rowid), 0) FROM {staged(table)}").fetchall()[0]
    bits = f"SELECT bitstring_agg(first_, 0, {last}) FROM {groups}"
    con.execute(f'SET VARIABLE "{_name(table, column)}" = ({bits})')
    con.execute(f"DROP TABLE {groups}")


def is_first(table: Resource, column: str) -> str:
    """Whether the staged row s is one; `keep` was called before."""
    return f"get_bit(getvariable({literal(_name(table, column))}), CAST(s.rowid AS INTEGER)) = 1"


def forget(con: duckdb.DuckDBPyConnection, table: Resource, column: str) -> None:
    con.execute(f'RESET VARIABLE "{_name(table, column)}"')
