"""Does the finished file hold what questions will rely on?

Read back from the closed extract, not from what it was made of. For every person: w²·Σc² ≤ (C·65536)² under every facet
and its distinct cells, every norm exact, every total and row count right, one first-flag per cell and person, no more keys
than the policy's K and one vote for each. For every table: the key unique, joins meeting one row of the same person and
carrying what stands there, finer columns finer, values within bounds. Any breach is ours, so it is an Incident and nothing
is shelved.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from enclave.errors import BadInput, Incident, Refused
from enclave.intake import votes
from enclave.intake.columns import Stored, carried_columns, stored_columns, summed
from enclave.intake.contributions import NORM_STEP, norm_columns
from enclave.intake.package import Descriptor, FacetText, Resource

_PERSONS = "temp.proof_"
_ONE = 65536
_STEPS = NORM_STEP * NORM_STEP


def reverify(con: duckdb.DuckDBPyConnection, d: Descriptor, catalog: str) -> None:
    """Incident naming the first check that finds a breach in the attached extract; BadInput for a key that stands twice."""
    for table in d.tables:
        place = f'{catalog}.main."{table.name}"'
        twice = _count(con, f'SELECT count(*) - count(DISTINCT "{table.key[0]}") FROM {place}')
        if twice:
            raise BadInput("intake.duplicate_key", place=f"{table.name}.{table.key[0]}", table=table.name, count=twice)
        for keys in table.keys:
            if (found := _count(con, votes.distinct(keys, place))) > keys.in_all:
                where = f"{table.name}.{keys.column}"
                raise Refused("intake.more_keys", place=where, column=where, count=found, in_all=keys.in_all)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {_PERSONS} AS {_persons(table, place)}")
        for check, sql in _checks(d, table, catalog):
            if breaches := _count(con, sql):
                raise Incident("intake.not_as_promised", table=table.name, check=check, count=breaches)
    con.execute(f"DROP TABLE IF EXISTS {_PERSONS}")


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])


def _checks(d: Descriptor, table: Resource, catalog: str) -> Iterator[tuple[str, str]]:
    """(name, SQL that counts breaches)."""
    place = f'{catalog}.main."{table.name}"'
    yield "person totals", _totals(table)
    for facet in table.facets:
        yield f"norms of {facet.column}", _facet(table, facet, place)
    for keys in table.keys:
        yield f"keys of {keys.column}", votes.breaches(keys, table.unit_column, place)
    for join in table.joins:
        far = d.table(join.table)
        assert far is not None
        there = f'{catalog}.main."{far.name}"'
        same = f'f."{join.to}" = s."{join.column}" AND f."{far.unit_column}" = s."{table.unit_column}"'
        same += "".join(
            f' AND f."{there.name}" IS NOT DISTINCT FROM s."{name}"'
            for carrying, name, there in carried_columns(d, table)
            if carrying is join
        )
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
    """One row per person: the row count, the exact totals, and the least and greatest of every stored norm."""
    parts = [f'"{table.unit_column}" AS unit_', "count(*) AS rows_", "count(*) FILTER (first_unit) AS firsts"]
    parts += [f'greatest(1, coalesce({NORM_STEP} * sum(abs("{c}"::BIGINT)), 0)) AS "sum {c}"' for c in summed(table)]
    for name, _ in norm_columns(table):
        parts += [f'min("{name}") AS "least {name}"', f'max("{name}") AS "{name}"']
    return f"SELECT {', '.join(parts)} FROM {place} GROUP BY unit_"


def _totals(table: Resource) -> str:
    """Row counts and totals, and that no norm differs between two rows of a person."""
    tests = [f"unit_rows <> {NORM_STEP} * rows_", "firsts <> 1"]
    tests += [f'"total_{c}" <> "sum {c}"' for c in summed(table)]
    tests += [f'"least {name}" <> "{name}"' for name, _ in norm_columns(table)]
    return f"SELECT count(*) FROM {_PERSONS} WHERE {' OR '.join(tests)}"


def _exact(norm: str, squares: str) -> str:
    """True when `norm` is not the least integer with norm² ≥ 65536·squares."""
    n = f"{norm}::HUGEINT"
    return f"({n} * {n} < {_STEPS} * {squares} OR ({n} - 1) * ({n} - 1) >= {_STEPS} * {squares})"


def _over(norm: str, squares: str, clip: int) -> str:
    """True when the weight w under clip C lets w²·squares exceed (C·65536)²."""
    weight = f"least({_ONE}, ({clip * _ONE * NORM_STEP}::HUGEINT // {norm}))"
    return f"({weight} * {weight} * {squares} > {(clip * _ONE) ** 2}::HUGEINT)"


def _facet(table: Resource, facet: FacetText, place: str) -> str:
    norm, distinct = f'p."norm_{facet.column}"', f'p."distinct_{facet.column}"'
    per_cell = (
        f'SELECT "{table.unit_column}" AS unit_, "{facet.column}" AS cell_, count(*) AS c, '
        f'count(*) FILTER ("first_{facet.column}") AS firsts FROM {place} GROUP BY unit_, cell_'
    )
    per_person = (
        "SELECT unit_, sum(c * c) AS squares, count(*)::HUGEINT AS cells, "
        f"count(*) FILTER (firsts <> 1) AS strays FROM ({per_cell}) GROUP BY unit_"
    )
    tests = ["f.strays <> 0", _exact(norm, "f.squares"), _exact(distinct, "f.cells")]
    tests += [_over(norm, "f.squares", facet.clip), _over(distinct, "f.cells", facet.distinct_clip)]
    return f"SELECT count(*) FROM ({per_person}) f JOIN {_PERSONS} p ON p.unit_ = f.unit_ WHERE {' OR '.join(tests)}"


def _finer(column: str, facet: str, place: str) -> str:
    """Values of `column` (NULL is one) that stand with more than one value of `facet` (NULL is one)."""
    pairs = f'SELECT DISTINCT "{column}" AS fine, "{facet}" AS coarse FROM {place}'
    return f"SELECT count(*) FROM (SELECT 1 FROM ({pairs}) GROUP BY fine HAVING count(*) > 1)"


def _outside(column: Stored) -> str:
    value = f"(\"{column.name}\" - DATE '1970-01-01')" if column.kind == "date" else f'"{column.name}"'
    return f"({value} < {column.lower} OR {value} > {column.upper})"
