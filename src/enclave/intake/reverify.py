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
import numpy as np

from enclave.errors import BadInput, Incident, Refused
from enclave.intake import promises, votes
from enclave.intake.columns import Stored, carried_columns, stored_columns
from enclave.intake.package import Descriptor
from enclave.intake.repeated import parts_of, repeated
from enclave.intake.resource import Resource


def reverify(con: duckdb.DuckDBPyConnection, d: Descriptor, catalog: str) -> None:
    """Incident naming the first check that finds a breach in the attached extract; BadInput for a key that stands twice."""
    for table in d.tables:
        place = f'{catalog}.main."{table.name}"'
        if twice := _twice(con, table.key[0], place):
            raise BadInput("intake.duplicate_key", place=f"{table.name}.{table.key[0]}", table=table.name, count=twice)
        for keys in table.keys:
            if (found := _count(con, votes.distinct(keys, place))) > keys.in_all:
                where = f"{table.name}.{keys.column}"
                raise Refused("intake.more_keys", place=where, column=where, count=found, in_all=keys.in_all)
        for check, breaches in promises.breaches(con, d, table, place).items():
            _held(table, check, breaches)
        for check, sql in _checks(d, table, catalog):
            _held(table, check, _count(con, sql))


def _held(table: Resource, check: str, breaches: int) -> None:
    if breaches:
        raise Incident("intake.not_as_promised", table=table.name, check=check, count=breaches)


def _twice(con: duckdb.DuckDBPyConnection, key: str, place: str) -> int:
    """How many rows have a key that stands already: sorting pseudonyms takes half of what gathering them does."""
    parts = parts_of(_count(con, f"SELECT count(*) FROM {place}"))
    return sum(_twice_in(con, key, f'{place} WHERE "{key}" & {parts - 1} = {part}') for part in range(parts))


def _twice_in(con: duckdb.DuckDBPyConnection, key: str, rows: str) -> int:
    return repeated(np.asarray(con.execute(f'SELECT "{key}" FROM {rows}').fetchnumpy()[key]))


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(con.execute(sql).fetchall()[0][0])


def _checks(d: Descriptor, table: Resource, catalog: str) -> Iterator[tuple[str, str]]:
    """(name, SQL that counts breaches)."""
    place = f'{catalog}.main."{table.name}"'
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


def _finer(column: str, facet: str, place: str) -> str:
    """Values of `column` (NULL is one) that stand with more than one value of `facet` (NULL is one)."""
    pairs = f'SELECT DISTINCT "{column}" AS fine, "{facet}" AS coarse FROM {place}'
    return f"SELECT count(*) FROM (SELECT 1 FROM ({pairs}) GROUP BY fine HAVING count(*) > 1)"


def _outside(column: Stored) -> str:
    value = f"(\"{column.name}\" - DATE '1970-01-01')" if column.kind == "date" else f'"{column.name}"'
    return f"({value} < {column.lower} OR {value} > {column.upper})"
