"""What could a row of this table look like, as far as its dictionary tells?

SQL that makes rows from numbers alone: no row of anybody's is read. Each value is a function of (row, column), so the same
dictionary gives the same twin. Values are spread unevenly, as in life (early codes and small numbers are more common), two
in a hundred that may be missing are, and a column declared finer than a facet decides that facet's value.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclave.intake.columns import Stored, literal, stored_columns
from enclave.intake.package import Descriptor, Resource
from enclave.intake.stage import hit, parents

UNEVEN = 1.7
"""Exponent by which shares are bent towards the first codes and the smallest numbers."""

MISSING = 0.02
HIT = 0.08
MOST_PER_PARENT = 4
UNLISTED = 3
"""How many values that nobody lists stand below one that is listed."""


def share(salt: str, row: str = "row_") -> str:
    """A number in [0, 1) that depends on the row and the salt alone."""
    return f"((hash({row}, {literal(salt)}) >> 11)::DOUBLE / 9007199254740992.0)"


def rows(d: Descriptor, table: Resource, persons: int) -> str:
    """SELECT of (row_, person_, parent_): which rows there are, whose, and below which row of a joined table."""
    if table.name == d.unit.table:
        return f"SELECT i + 1 AS row_, i + 1 AS person_, 0 AS parent_ FROM range({persons}) t(i)"
    parent = _parent(d, table)
    if parent is not None:
        column, above = parent
        most = max(1, min(MOST_PER_PARENT, table.row_clip // max(1, above.row_clip)))
        count = f"1 + floor({most} * {share(table.name, 'p.' + _quoted(column))})::BIGINT"
        source, person, key = f"{parents(above)} p", f"p.{_quoted(above.unit_column)}", f"p.{_quoted(column)}"
    else:
        usual = max(1.0, table.row_clip / 8)
        several = f"1 + floor(-ln(1 - {share(table.name, 'p.i')}) * {usual})::BIGINT"
        count = f"least({table.row_clip}, {several})"
        source, person, key = f"range({persons}) p(i)", "p.i + 1", "0"
    each = f"SELECT {person} AS person_, {key} AS parent_, unnest(range({count})) AS n_ FROM {source}"
    return f"SELECT row_number() OVER (ORDER BY person_, parent_, n_) AS row_, person_, parent_ FROM ({each})"


def _parent(d: Descriptor, table: Resource) -> tuple[str, Resource] | None:
    """The joined table below whose rows these stand, and the column by which."""
    for join in table.joins:
        far = d.table(join.table)
        if far is not None and far.name != d.unit.table:
            return join.to, far
    return None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def select(d: Descriptor, table: Resource, persons: int) -> str:
    """SELECT of every column that a staged table has."""
    columns = [c for c in stored_columns(d, table) if c.name not in {x.name for x in table.derived}]
    below = _parent(d, table)
    joined = {j.column for j in table.joins if below is not None and j.to == below[0]}
    kept = [f"CAST({_value(table, c, columns, joined)} AS {c.sql_type}) AS {_quoted(c.name)}" for c in columns]
    kept += [f"{share(x, 'row_')} < {HIT} AS {hit(x)}" for x in _looked_at(d, table)]
    return f"SELECT {', '.join(kept)} FROM ({rows(d, table, persons)})"


def _looked_at(d: Descriptor, table: Resource) -> Iterator[str]:
    return (x.name for x in d.person_table.derived if x.any_of.table == table.name)


def _value(table: Resource, column: Stored, columns: list[Stored], joined: set[str]) -> str:
    if column.name == table.unit_column:
        return "person_"
    if column.name in table.key:
        return "row_"
    if column.name in joined:
        return "parent_"
    if column.kind == "key":
        return _unlisted(table, column, columns, joined)
    finer = next((c for c in columns if column.name in c.finer_than and c.codes), None)
    made = _coarser(table, column, finer) if finer is not None else _made(table, column)
    if not column.nullable or finer is not None or any(column.name in c.finer_than for c in columns):
        return made
    return f"CASE WHEN {share(f'{table.name}.{column.name} missing')} >= {MISSING} THEN {made} END"


def _at(table: Resource, column: Stored, count: int) -> str:
    """A number from 1 to `count`, the first ones more often."""
    return f"(1 + floor({count} * pow({share(f'{table.name}.{column.name}')}, {UNEVEN}))::BIGINT)"


def _made(table: Resource, column: Stored) -> str:
    if column.codes:
        return f"[{', '.join(map(literal, column.codes))}][{_at(table, column, len(column.codes))}]"
    if column.kind == "boolean":
        return f"{share(f'{table.name}.{column.name}')} < {HIT}"
    if column.lower is not None and column.upper is not None:
        number = f"{column.lower} - 1 + {_at(table, column, column.upper - column.lower + 1)}"
        return f"DATE '1970-01-01' + ({number})::INTEGER" if column.kind == "date" else number
    return f"'T' || lpad({_at(table, column, 1000)}::VARCHAR, 3, '0')"


def _unlisted(table: Resource, column: Stored, columns: list[Stored], joined: set[str]) -> str:
    """A text below the values that it decides, if any: it is missing where they are."""
    coarse = [c for c in columns if c.name in column.finer_than]
    parts = [f"CAST({_value(table, c, columns, joined)} AS VARCHAR)" for c in coarse] or ["'K'"]
    number = f"lpad({_at(table, column, UNLISTED)}::VARCHAR, 3, '0')"
    return " || '.' || ".join([*parts, number])


def _coarser(table: Resource, column: Stored, finer: Stored) -> str:
    """The code that a finer code stands below: the longest that it begins with, else one by its place in the list."""

    def above(at: int, code: str) -> str:
        begins = [c for c in column.codes if code.startswith(c)]
        return max(begins, key=len) if begins else column.codes[at * len(column.codes) // len(finer.codes)]

    codes = [above(at, code) for at, code in enumerate(finer.codes)]
    return f"[{', '.join(map(literal, codes))}][{_at(table, finer, len(codes))}]"
