"""What could a row of this table look like, as far as its dictionary, and what was bought, tell?

SQL that makes rows from numbers alone: no row of anybody's is read. Each value is a function of (row, column), so the same
dictionary and the same paid numbers give the same twin. Where a marginal was bought, values, gaps and rows a person are
drawn from it; else values are spread unevenly, as in life (early codes and small numbers are more common), and two in a
hundred that may be missing are. A column declared finer than a facet decides that facet's value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enclave.intake.columns import Stored, literal, stored_columns
from enclave.intake.package import Descriptor, Resource
from enclave.intake.stage import hit, parents
from enclave.profile import Marginals
from enclave.twin import drawn

UNEVEN = 1.7
"""Exponent by which shares are bent towards the first codes and the smallest numbers."""

MISSING = 0.02
HIT = 0.08
MOST_PER_PARENT = 4
UNLISTED = 3
"""How many values that nobody lists stand below one that is listed."""


def share(salt: str, row: str = "row_") -> str:
    """A number in [0, 1) that depends on the row and the salt alone. Hashed twice: a hash of two values is that of the one,
    turned by that of the other, so that numbers of two columns would go together."""
    return f"((hash(hash({row}, {literal(salt)})) >> 11)::DOUBLE / 9007199254740992.0)"


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
    columns = [c for c in stored_columns(d, table) if c.name not in {x.name for x in table.derived}]
    below = _parent(d, table)
    joined = {j.column for j in table.joins if below is not None and j.to == below[0]}
    made = _Made(table, columns, joined, told)
    kept = [f"CAST({made.value(c)} AS {c.sql_type}) AS {_quoted(c.name)}" for c in columns]
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


@dataclass(frozen=True)
class _Made:
    """The values of one table, column by column."""

    table: Resource
    columns: list[Stored]
    joined: set[str]
    told: Marginals

    def value(self, column: Stored) -> str:
        """SQL of a column's value."""
        if column.name == self.table.unit_column:
            return "person_"
        if column.name in self.table.key:
            return "row_"
        if column.name in self.joined:
            return "parent_"
        if column.kind == "key":
            return self._unlisted(column)
        finer = next((c for c in self.columns if column.name in c.finer_than and c.codes), None)
        decides = finer or column  # of a column that is finer, gaps are gaps of what it refines too
        value = self._coarser(column, finer) if finer is not None else self._made(column)
        gaps = self._gaps(column, decides)
        return f"CASE WHEN {self._share(decides, ' missing')} >= {gaps!r} THEN {value} END" if gaps else value

    def _gaps(self, column: Stored, decides: Stored) -> float:
        """The share of rows for which nothing stands there."""
        coarser = [c for c in self.columns if c.name in decides.finer_than]
        if not all(c.nullable for c in (column, decides, *coarser)):
            return 0.0
        if marginal := self.told.of(self.table.name, decides.name):
            return marginal.missing
        return MISSING if decides is column and not coarser else 0.0

    def _share(self, column: Stored, what: str = "") -> str:
        return share(f"{self.table.name}.{column.name}{what}")

    def _at(self, column: Stored, count: int) -> str:
        """A number from 1 to `count`, the first ones more often."""
        return f"(1 + floor({count} * pow({self._share(column)}, {UNEVEN}))::BIGINT)"

    def _word(self, column: Stored) -> str:
        """The place of a word in its list."""
        marginal = self.told.of(self.table.name, column.name)
        return drawn.position(marginal, self._share(column)) if marginal else self._at(column, len(column.codes))

    def _made(self, column: Stored) -> str:
        if column.codes:
            return f"[{', '.join(map(literal, column.codes))}][{self._word(column)}]"
        marginal = self.told.of(self.table.name, column.name)
        if column.kind == "boolean":
            return drawn.truth(marginal, self._share(column)) if marginal else f"{self._share(column)} < {HIT}"
        if column.lower is None or column.upper is None:
            return f"'T' || lpad({self._at(column, 1000)}::VARCHAR, 3, '0')"
        number = f"{column.lower} - 1 + {self._at(column, column.upper - column.lower + 1)}"
        if marginal:
            number = drawn.stored(marginal, self._share(column), self._share(column, " within"))
        return f"DATE '1970-01-01' + ({number})::INTEGER" if column.kind == "date" else number

    def _unlisted(self, column: Stored) -> str:
        """A text below the values that it decides, if any: it is missing where they are."""
        coarse = [c for c in self.columns if c.name in column.finer_than]
        parts = [f"CAST({self.value(c)} AS VARCHAR)" for c in coarse] or ["'K'"]
        number = f"lpad({self._at(column, UNLISTED)}::VARCHAR, 3, '0')"
        return " || '.' || ".join([*parts, number])

    def _coarser(self, column: Stored, finer: Stored) -> str:
        """The code that a finer code stands below: the longest that it begins with, else one by its place in the list."""

        def above(at: int, code: str) -> str:
            begins = [c for c in column.codes if code.startswith(c)]
            return max(begins, key=len) if begins else column.codes[at * len(column.codes) // len(finer.codes)]

        codes = [above(at, code) for at, code in enumerate(finer.codes)]
        return f"[{', '.join(map(literal, codes))}][{self._word(finer)}]"
