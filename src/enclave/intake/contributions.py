"""How much does each person contribute?

Per person and table, exact and rounded up, in 1/256 steps (conventions of `catalogue.dataset`): the row count, the l2
norm of the row counts by each facet, the l2 norm of the distinct cells, Σ|x| of each summed column. NULL is a cell of its
own. The root is an integer root: `ceil(sqrt(double))` is wrong from 2^54 on (soundness U1).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from enclave.intake.columns import summed
from enclave.intake.package import Resource
from enclave.intake.stage import staged

NORM_STEP = 256
"""Stored norms count 1/256."""

_SQUARED = NORM_STEP * NORM_STEP


def define_root(con: duckdb.DuckDBPyConnection) -> None:
    """`ceil_root(n)`: the least integer whose square is at least n ≥ 0.

    The double's root is off by at most one below 2^104; the candidates around it are compared in exact integers.
    """
    con.execute("CREATE OR REPLACE TEMP MACRO near_root(n) AS CAST(floor(sqrt(CAST(n AS DOUBLE))) AS HUGEINT)")
    steps = " ".join(
        f"WHEN (near_root(n) + {k}) * (near_root(n) + {k}) >= n THEN near_root(n) + {k}" for k in (-1, 0, 1)
    )
    con.execute(
        f"CREATE OR REPLACE TEMP MACRO ceil_root(n) AS CASE WHEN n <= 0 THEN 0 {steps} ELSE near_root(n) + 2 END"
    )


def cells(table: Resource, facet: str) -> str:
    """The name of the table of (person, cell, rows, first key) of a facet."""
    return f'"cells_{table.name}_{facet}"'


def norms(table: Resource) -> str:
    """The name of the table of norms, one row per person."""
    return f'"norms_{table.name}"'


def norm_columns(table: Resource) -> Iterator[tuple[str, str]]:
    """(name, SQL type) of every per-person norm of a table; all are NOT NULL and at least 1."""
    yield "unit_rows", "INTEGER"
    for facet in table.facets:
        yield f"norm_{facet.column}", "INTEGER"
        yield f"distinct_{facet.column}", "INTEGER"
    for column in summed(table):
        yield f"total_{column}", "BIGINT"


def measure(con: duckdb.DuckDBPyConnection, table: Resource) -> None:
    """Compute the norms of every person of a staged table."""
    unit, key = f'"{table.unit_column}"', f'"{table.key[0]}"'
    for facet in table.facets:
        con.execute(
            f"CREATE OR REPLACE TABLE {cells(table, facet.column)} AS "
            f'SELECT {unit} AS unit_, "{facet.column}" AS cell_, count(*) AS rows_, min({key}) AS first_ '
            f"FROM {staged(table)} GROUP BY ALL"
        )
    con.execute(f"CREATE OR REPLACE TABLE {norms(table)} AS {_norms_select(table)}")


def _norms_select(table: Resource) -> str:
    unit = f'"{table.unit_column}"'
    totals = "".join(f', {NORM_STEP} * sum(abs("{c}"::BIGINT)) AS "total_{c}"' for c in summed(table))
    joins, kept = "", [f"{NORM_STEP} * b.rows_ AS unit_rows"]
    for n, facet in enumerate(table.facets):
        joins += (
            f" JOIN (SELECT unit_, sum(rows_ * rows_) AS squares, count(*) AS distinct_ "
            f"FROM {cells(table, facet.column)} GROUP BY unit_) f{n} ON f{n}.unit_ = b.unit_"
        )
        kept.append(f'ceil_root({_SQUARED} * f{n}.squares::HUGEINT) AS "norm_{facet.column}"')
        kept.append(f'ceil_root({_SQUARED} * f{n}.distinct_::HUGEINT) AS "distinct_{facet.column}"')
    kept += [f'greatest(1, coalesce(b."total_{c}", 0)) AS "total_{c}"' for c in summed(table)]
    base = f"(SELECT {unit} AS unit_, count(*) AS rows_{totals} FROM {staged(table)} GROUP BY {unit}) b"
    return f"SELECT b.unit_, {', '.join(kept)} FROM {base}{joins}"
