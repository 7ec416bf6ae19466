"""How much does each person contribute?

Per person and table, exact and rounded up, in 1/256 steps (conventions of `catalogue.dataset`): the row count and which row
is the first, the l2 norm of the row counts by each facet, the l2 norm of the distinct cells, Σ|x| of each summed column.
NULL is a cell of its own. The root is an integer root: `ceil(sqrt(double))` is wrong from 2^54 on (soundness U1).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from enclave.intake import firsts
from enclave.intake.columns import stored_columns, summed
from enclave.intake.laid import staged
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource

NORM_STEP = 256
"""Stored norms count 1/256."""

_SQUARED = NORM_STEP * NORM_STEP
_NARROW = 2**52


def define_root(con: duckdb.DuckDBPyConnection) -> None:
    """`ceil_root(n)`: the least integer whose square is at least n ≥ 0.

    The root of an integer below 2^52, correctly rounded, never reaches the next integer: its floor is exact (2^-27 lies
    between them, half a unit in the last place is 2^-28). Up to 2^104 it is off by at most one, and the candidates around
    it are compared in exact integers.
    """
    root = "CAST(floor(sqrt(CAST(n AS DOUBLE))) AS {})"
    narrow, near = root.format("BIGINT"), root.format("HUGEINT")
    steps = " ".join(f"WHEN ({near} + {k}) * ({near} + {k}) >= n THEN {near} + {k}" for k in (-1, 0, 1))
    wide = f"CASE WHEN n <= 0 THEN 0 {steps} ELSE {near} + 2 END"
    con.execute(f"CREATE OR REPLACE TEMP MACRO narrow_root(n) AS {narrow} + CAST({narrow} * {narrow} < n AS BIGINT)")
    con.execute(
        "CREATE OR REPLACE TEMP MACRO ceil_root(n) AS "
        f"CASE WHEN n < {_NARROW} THEN CAST(narrow_root(CAST(n AS BIGINT)) AS HUGEINT) ELSE {wide} END"
    )


def _cells(table: Resource, facet: str) -> str:
    """The name of the table of (person, cell, rows, first row) of a facet."""
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


def measure(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource) -> None:
    """Compute the norms of every person of a staged table, and how far the person is over the clips (`excess_`)."""
    unit = f'"{table.unit_column}"'
    for n, facet in enumerate(table.facets):
        # the totals and the least key of all ride on the first facet's cells: one scan less
        totals = _totals(table) + f', min("{table.key[0]}") AS key_' if n == 0 else ""
        con.execute(
            f"CREATE OR REPLACE TABLE {_cells(table, facet.column)} AS "
            f'SELECT {unit} AS unit_, "{facet.column}" AS cell_, count(*) AS rows_, {firsts.first(table)}{totals} '
            f"FROM {staged(table)} GROUP BY unit_, cell_"
        )
    con.execute(
        f"CREATE OR REPLACE TABLE {norms(table)} AS SELECT *, {_excess(d, table)} AS excess_ FROM ({_norms_select(table)})"
    )
    for facet in table.facets:
        firsts.keep(con, table, facet.column, _cells(table, facet.column))


def _excess(d: Descriptor, table: Resource) -> str:
    """The largest share of a clip that the person takes up, in 1/256: above 256 something is clipped."""
    shares = [f"unit_rows // {table.row_clip}"]
    for facet in table.facets:
        shares += [f'"norm_{facet.column}" // {facet.clip}', f'"distinct_{facet.column}" // {facet.distinct_clip}']
    clips = {c.name: c.total_clip for c in stored_columns(d, table)}
    shares += [f'"total_{name}" // {clips[name]}' for name in summed(table)]
    return f"greatest({', '.join(shares)})"


def _totals(table: Resource) -> str:
    return "".join(f', coalesce(sum(abs("{c}"::BIGINT)), 0) AS "total_{c}"' for c in summed(table))


def _per_person(table: Resource, facet: str | None, totals: str) -> str:
    """Rows, squares and distinct cells of each person under one facet."""
    if facet is None:
        found = f"count(*) AS rows_, {firsts.first(table)}{totals}"
        return f'SELECT "{table.unit_column}" AS unit_, {found} FROM {staged(table)} GROUP BY unit_'
    counts = "sum(rows_) AS rows_, sum(rows_ * rows_) AS squares, count(*) AS distinct_"
    return f"SELECT unit_, {counts}{totals} FROM {_cells(table, facet)} GROUP BY unit_"


def _norms_select(table: Resource) -> str:
    facets = [facet.column for facet in table.facets]
    carried = ", arg_min(first_, key_) AS first_" + "".join(f', sum("total_{c}") AS "total_{c}"' for c in summed(table))
    base = _per_person(table, facets[0], carried) if facets else _per_person(table, None, _totals(table))
    joins = "".join(
        f" JOIN ({_per_person(table, facet, '')}) f{n} ON f{n}.unit_ = f0.unit_" for n, facet in enumerate(facets) if n
    )
    measured = {"unit_rows": f"{NORM_STEP} * f0.rows_"}
    for n, facet in enumerate(facets):
        measured[f"norm_{facet}"] = f"ceil_root({_SQUARED} * f{n}.squares)"
        measured[f"distinct_{facet}"] = f"ceil_root({_SQUARED} * f{n}.distinct_::HUGEINT)"
    measured |= {f"total_{c}": f'greatest(1, {NORM_STEP} * f0."total_{c}")' for c in summed(table)}
    kept = ["f0.first_", *(f'CAST({measured[name]} AS {kind}) AS "{name}"' for name, kind in norm_columns(table))]
    return f"SELECT f0.unit_, {', '.join(kept)} FROM ({base}) f0{joins}"
