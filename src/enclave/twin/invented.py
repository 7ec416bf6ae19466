"""Which rows could a table have, as far as its dictionary, and what was bought, tell?

SQL that makes rows from numbers alone: no row of anybody's is read. Each value is a function of (row, column), so the same
dictionary and the same paid numbers give the same twin. Rows a person come from what was bought, where something was.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.stage import hit, parents
from enclave.profile import Marginals
from enclave.twin import drawn
from enclave.twin.drawn import share
from enclave.twin.row import HIT, Row

MOST_PER_PARENT = 4


def rows(d: Descriptor, table: Resource, persons: int, told: Marginals) -> str:
    """SELECT of (row_, person_, parent_): which rows there are, whose, and below which row of a joined table."""
    if table.name == d.unit.table:
        return f"SELECT i + 1 AS row_, i + 1 AS person_, 0 AS parent_ FROM range({persons}) t(i)"
    parent = _parent(d, table)
    if parent is not None:
        column, above = parent
        count = _below(table, above, told, f"p.{_quoted(column)}")
        source, person, key = f"{parents(above)} p", f"p.{_quoted(above.unit_column)}", f"p.{_quoted(column)}"
    else:
        count, source, person, key = _of_person(table, told), f"range({persons}) p(i)", "p.i + 1", "0"
    each = f"SELECT {person} AS person_, {key} AS parent_, unnest(range({count})) AS n_ FROM {source}"
    return f"SELECT row_number() OVER (ORDER BY person_, parent_, n_) AS row_, person_, parent_ FROM ({each})"


def _of_person(table: Resource, told: Marginals) -> str:
    """How many rows a person has."""
    at = share(table.name, "p.i")
    if each := told.rows.get(table.name):
        return drawn.rows(each, at, share(f"{table.name} within", "p.i"), share(f"{table.name} none", "p.i"))
    usual = max(1.0, table.row_clip / 8)
    return f"least({table.row_clip}, 1 + floor(-ln(1 - {at}) * {usual})::BIGINT)"


def _below(table: Resource, above: Resource, told: Marginals, row: str) -> str:
    """How many rows stand below one of the table above: as many as its persons have there, over their rows here."""
    ours, theirs = told.rows.get(table.name), told.rows.get(above.name)
    if ours and theirs and theirs.mean > 0:
        return f"floor({ours.mean / theirs.mean!r} + {share(table.name, row)})::BIGINT"
    most = max(1, min(MOST_PER_PARENT, table.row_clip // max(1, above.row_clip)))
    return f"1 + floor({most} * {share(table.name, row)})::BIGINT"


def _parent(d: Descriptor, table: Resource) -> tuple[str, Resource] | None:
    """The joined table below whose rows these stand, and the column by which."""
    for join in table.joins:
        far = d.table(join.table)
        if far is not None and far.name != d.unit.table:
            return join.to, far
    return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def select(d: Descriptor, table: Resource, persons: int, told: Marginals) -> str:
    """SELECT of every column that a staged table has."""
    below = _parent(d, table)
    joined = {j.column for j in table.joins if below is not None and j.to == below[0]}
    row = Row(d, table, told, joined)
    kept = [f"CAST({row.value(c)} AS {c.sql_type}) AS {_quoted(c.name)}" for c in row.columns]
    kept += [f"{share(x, 'row_')} < {_hits(d, table, x, told)!r} AS {hit(x)}" for x in _looked_at(d, table)]
    return f"SELECT {', '.join(kept)} FROM ({rows(d, table, persons, told)})"


def _hits(d: Descriptor, table: Resource, derived: str, told: Marginals) -> float:
    """The share of rows that make a derived column true: so many that the bought share of persons has one."""
    wanted, each = told.of(d.unit.table, derived), told.rows.get(table.name)
    if wanted is None or each is None:
        return HIT
    low, high = 0.0, 1.0
    for _ in range(40):  # persons with a hit rise with the share of rows
        middle = (low + high) / 2
        low, high = (middle, high) if each.any_of(middle) < wanted.shares[1] else (low, middle)
    return high


def _looked_at(d: Descriptor, table: Resource) -> Iterator[str]:
    return (x.name for x in d.person_table.derived if x.any_of.table == table.name)
