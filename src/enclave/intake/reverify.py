"""Does the finished file hold what questions will rely on?

Read back from the closed extract, not from what it was made of. For every person: w²·Σc² ≤ (C·65536)² under every facet
and its distinct cells, every norm exact, every total and row count right, one first-flag per cell. For every table: the
key unique, joins meeting one row of the same person, finer columns finer, values within bounds. Any breach is ours, so it
is an Incident and nothing is shelved.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from enclave.errors import Incident
from enclave.intake.columns import Stored, stored_columns, summed
from enclave.intake.contributions import NORM_STEP
from enclave.intake.package import Descriptor, FacetText, Resource

_ONE = 65536
_STEPS = NORM_STEP * NORM_STEP


def reverify(con: duckdb.DuckDBPyConnection, d: Descriptor, catalog: str) -> None:
    """Incident naming the first check that finds a breach in the attached extract."""
    for table in d.tables:
        for check, sql in _checks(d, table, catalog):
            (breaches,) = con.execute(sql).fetchall()[0]
            if breaches:
                raise Incident("intake.not_as_promised", table=table.name, check=check, count=int(breaches))


def _checks(d: Descriptor, table: Resource, catalog: str) -> Iterator[tuple[str, str]]:
    """(name, SQL that counts breaches)."""
    place = f'{catalog}.main."{table.name}"'
    yield "person totals", _persons(table, place)
    for facet in table.facets:
        yield f"norms of {facet.column}", _facet(table, facet, place)
    yield "unique key", f'SELECT count(*) - count(DISTINCT "{table.key[0]}") FROM {place}'
    for join in table.joins:
        far = d.table(join.table)
        assert far is not None
        there = f'{catalog}.main."{far.name}"'
        same = f'f."{join.to}" = s."{join.column}" AND f."{far.unit_column}" = s."{table.unit_column}"'
        yield (
            f"join to {far.name}",
            f"SELECT count(*) FROM {place} s WHERE NOT EXISTS (SELECT 1 FROM {there} f WHERE {same})",
        )
    for column in stored_columns(d, table):
        for facet_name in column.finer_than:
            yield f"{column.name} finer than {facet_name}", _finer(column.name, facet_name, place)
    if bounds := [_outside(c) for c in stored_columns(d, table) if c.lower is not None and c.kind != "boolean"]:
        yield "bounds", f"SELECT count(*) FROM {place} WHERE {' OR '.join(bounds)}"


def _persons(table: Resource, place: str) -> str:
    """Row counts and totals, and that each norm is the same on all rows of a person."""
    unit = f'"{table.unit_column}"'
    tests = [f"max(unit_rows) <> {NORM_STEP} * count(*)"]
    for column in summed(table):
        exact = f'greatest(1, coalesce({NORM_STEP} * sum(abs("{column}"::BIGINT)), 0))'
        tests.append(f'max("total_{column}") <> {exact}')
    same = ["unit_rows", *(f'"total_{c}"' for c in summed(table))]
    tests += [f"min({name}) <> max({name})" for name in same]
    return f"SELECT count(*) FROM (SELECT 1 FROM {place} GROUP BY {unit} HAVING {' OR '.join(tests)})"


def _exact(norm: str, squares: str) -> str:
    """True when `norm` is not the least integer with norm² ≥ 65536·squares."""
    n = f"{norm}::HUGEINT"
    return f"({n} * {n} < {_STEPS} * {squares} OR ({n} - 1) * ({n} - 1) >= {_STEPS} * {squares})"


def _over(norm: str, squares: str, clip: int) -> str:
    """True when the weight w under clip C lets w²·squares exceed (C·65536)²."""
    weight = f"least({_ONE}, ({clip * _ONE * NORM_STEP}::HUGEINT // {norm}))"
    return f"({weight} * {weight} * {squares} > {(clip * _ONE) ** 2}::HUGEINT)"


def _facet(table: Resource, facet: FacetText, place: str) -> str:
    unit, cell = f'"{table.unit_column}"', f'"{facet.column}"'
    names = (f'"{facet_norm}"' for facet_norm in (f"norm_{facet.column}", f"distinct_{facet.column}"))
    norm, distinct = names
    per_cell = (
        f"SELECT {unit} AS unit_, count(*)::HUGEINT AS c, min({norm}) AS n0, max({norm}) AS n1, min({distinct}) AS d0, "
        f'max({distinct}) AS d1, count(*) FILTER ("first_{facet.column}") AS firsts FROM {place} GROUP BY {unit}, {cell}'
    )
    per_person = (
        "SELECT min(n0) AS n0, max(n1) AS n1, min(d0) AS d0, max(d1) AS d1, sum(c * c)::HUGEINT AS squares, "
        f"count(*)::HUGEINT AS cells, count(*) FILTER (firsts <> 1) AS strays FROM ({per_cell}) GROUP BY unit_"
    )
    tests = ["n0 <> n1", "d0 <> d1", "strays <> 0", _exact("n1", "squares"), _exact("d1", "cells")]
    tests += [_over("n1", "squares", facet.clip), _over("d1", "cells", facet.distinct_clip)]
    return f"SELECT count(*) FROM ({per_person}) WHERE {' OR '.join(tests)}"


def _finer(column: str, facet: str, place: str) -> str:
    """Values of `column` (NULL is one) that stand with more than one value of `facet` (NULL is one)."""
    pairs = f'SELECT DISTINCT "{column}" AS fine, "{facet}" AS coarse FROM {place}'
    return f"SELECT count(*) FROM (SELECT 1 FROM ({pairs}) GROUP BY fine HAVING count(*) > 1)"


def _outside(column: Stored) -> str:
    value = f"(\"{column.name}\" - DATE '1970-01-01')" if column.kind == "date" else f'"{column.name}"'
    return f"({value} < {column.lower} OR {value} > {column.upper})"
