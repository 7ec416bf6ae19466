"""How much does each person contribute?

Per person and table, exact and rounded up, in 1/256 steps (conventions of `catalogue.dataset`): the row count and which row
is the first, the l2 norm of the row counts by each facet, the l2 norm of the distinct cells, Σ|x| of each summed column.
NULL is a cell of its own. The root is an integer root: `ceil(sqrt(double))` is wrong from 2^54 on (soundness U1).
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
    for n, facet in enumerate(table.facets):
        # the totals ride on the first facet's cells: one scan less
        totals = _totals(table) if n == 0 else ""
        con.execute(
            f"CREATE OR REPLACE TABLE {cells(table, facet.column)} AS "
            f'SELECT {unit} AS unit_, "{facet.column}" AS cell_, count(*) AS rows_, min({key}) AS first_{totals} '
            f"FROM {staged(table)} GROUP BY unit_, cell_"
        )
    con.execute(f"CREATE OR REPLACE TABLE {norms(table)} AS {_norms_select(table)}")


def _totals(table: Resource) -> str:
    return "".join(f', coalesce(sum(abs("{c}"::BIGINT)), 0) AS "total_{c}"' for c in summed(table))


def _per_person(table: Resource, facet: str | None, totals: str) -> str:
    """Rows, squares and distinct cells of each person under one facet."""
    if facet is None:
        unit, first = f'"{table.unit_column}"', f'min("{table.key[0]}") AS first_'
        return f"SELECT {unit} AS unit_, count(*) AS rows_, {first}{totals} FROM {staged(table)} GROUP BY {unit}"
    counts = "sum(rows_) AS rows_, min(first_) AS first_, sum(rows_ * rows_) AS squares, count(*) AS distinct_"
    return f"SELECT unit_, {counts}{totals} FROM {cells(table, facet)} GROUP BY unit_"


def _norms_select(table: Resource) -> str:
    facets = [facet.column for facet in table.facets]
    carried = "".join(f', sum("total_{c}") AS "total_{c}"' for c in summed(table))
    base = _per_person(table, facets[0], carried) if facets else _per_person(table, None, _totals(table))
    joins = "".join(
        f" JOIN ({_per_person(table, facet, '')}) f{n} ON f{n}.unit_ = f0.unit_" for n, facet in enumerate(facets) if n
    )
    kept = [f"{NORM_STEP} * f0.rows_ AS unit_rows", "f0.first_ AS first_"]
    for n, facet in enumerate(facets):
        kept.append(f'ceil_root({_SQUARED} * f{n}.squares::HUGEINT) AS "norm_{facet}"')
        kept.append(f'ceil_root({_SQUARED} * f{n}.distinct_::HUGEINT) AS "distinct_{facet}"')
    kept += [f'greatest(1, {NORM_STEP} * f0."total_{c}") AS "total_{c}"' for c in summed(table)]
    return f"SELECT f0.unit_, {', '.join(kept)} FROM ({base}) f0{joins}"
