"""Where do the staged rows of a table lie, and which of them stay?

All rows that were read lie in one table, in the order they were read, and none is ever deleted from it: of 2,048 rows of
which one is deleted the engine keeps 8 bytes for each, which it cannot spill, and rows at fault are everywhere (0111). Who
works on a table sees the view `staged`, of the rows that stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from enclave.intake.resource import Resource

ROW = '"its row"'
"""The column of the view that numbers rows; with gaps where rows are left out."""

STAY = "dropped_ = 0"
"""Rows without a reason to be left out."""


def read(table: Resource) -> str:
    """The name of the table of all rows that were read."""
    return f'"read_{table.name}"'


def staged(table: Resource) -> str:
    """The name of the view of the rows that stay."""
    return f'"staged_{table.name}"'


def _strays(table: Resource) -> str:
    """The name of the table of rows that lack one elsewhere, by their numbers."""
    return f'"strays_{table.name}"'


def lay(
    con: duckdb.DuckDBPyConnection, table: Resource, select: str, values: Mapping[str, bytes] | None = None
) -> None:
    """Lay the rows of `select`, which may read what was laid before; all of them stay."""
    con.execute(f"CREATE OR REPLACE TABLE {read(table)} AS {select}", dict(values or {}))
    keep(con, table, "true")


def keep(con: duckdb.DuckDBPyConnection, table: Resource, which: str, joined: str = "") -> None:
    """Let those of all rows stay of which `which` is true."""
    rows = f"{read(table)} r{joined} WHERE {which}"
    con.execute(f"CREATE OR REPLACE VIEW {staged(table)} AS SELECT r.rowid AS {ROW}, r.* FROM {rows}")


def leave_out(con: duckdb.DuckDBPyConnection, table: Resource, lacking: str) -> int:
    """Leave out, of the rows s that may `STAY` and still do, those for which `lacking` is true; how many these are."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {_strays(table)} (row_ BIGINT)")
    found = f"SELECT s.{ROW} FROM {staged(table)} s WHERE {lacking}"
    (count,) = con.execute(f"INSERT INTO {_strays(table)} {found}").fetchall()[0]
    if count:
        keep(con, table, STAY, f" ANTI JOIN {_strays(table)} o ON o.row_ = r.rowid")
    return int(count)


def drop(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """Drop what was laid."""
    con.execute(f"DROP VIEW IF EXISTS {staged(table)}")
    for name in (read(table), _strays(table)):
        con.execute(f"DROP TABLE IF EXISTS {name}")
