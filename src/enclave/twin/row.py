"""What stands in each column of an invented row?

Where a marginal was bought, values and gaps are drawn from it; else values are spread unevenly, as in life (early codes and
small numbers are more common), and two in a hundred that may be missing are. Of several columns made of one raw value, one
is drawn and the others follow (`following`); a column declared finer than a facet decides that facet's value; and nothing
stands beside what the signed rules would not let stand beside it (`ruled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from enclave.intake.columns import Stored, literal, stored_columns
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.profile import Marginal, Marginals
from enclave.twin import drawn, ruled
from enclave.twin.following import followed, leader
from enclave.twin.ruled import Ruled, bounded, sexed

MISSING = 0.02
HIT = 0.08
UNLISTED = 3
"""How many values that nobody lists stand below one that is listed."""


@dataclass(frozen=True)
class Row:
    """The values of one table, column by column, as SQL over (row_, person_, parent_)."""

    d: Descriptor
    table: Resource
    told: Marginals
    joined: set[str] = field(default_factory=set)
    at: str = "row_"
    """What numbers the row; of the person's own row, seen from another table, its person."""

    @cached_property
    def columns(self) -> list[Stored]:
        derived = {x.name for x in self.table.derived}
        return [c for c in stored_columns(self.d, self.table) if c.name not in derived]

    @cached_property
    def _ruled(self) -> Ruled:
        return Ruled(self.d, self.table, self.columns)

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
        decides, gaps, value = self._decides(column), self._gaps(column), self.made(column)
        return f"CASE WHEN {self._share(decides, ' missing')} >= {gaps!r} THEN {value} END" if gaps else value

    def made(self, column: Stored) -> str:
        """The value as it would be were nothing missing."""
        lead = leader(self.columns, column)
        if lead is not None:
            value = self.word(lead) if lead.codes else self.made(lead)
            return followed(self.d, self.table, column, lead, value, self._drawn(column))
        return self._drawn(column)

    def _finer(self, column: Stored) -> Stored | None:
        return next((c for c in self.columns if column.name in c.finer_than and c.codes), None)

    def _decides(self, column: Stored) -> Stored:
        """The column that this one follows, to the last: gaps of it are gaps here."""
        then = self._finer(column) or leader(self.columns, column)
        return self._decides(then) if then is not None else column

    def _gaps(self, column: Stored) -> float:
        """The share of rows for which nothing stands there."""
        decides = self._decides(column)
        coarser = [c for c in self.columns if c.name in decides.finer_than]
        if not all(c.nullable for c in (column, decides, *coarser)) or self._ruled.present(
            {column.source, decides.source}
        ):
            return 0.0
        if marginal := self.told.of(self.table.name, decides.name):
            return marginal.missing
        return MISSING if not coarser else 0.0

    def _share(self, column: Stored, what: str = "") -> str:
        return drawn.share(f"{self.table.name}.{column.name}{what}", self.at)

    def word(self, column: Stored) -> str:
        """The place of a word in its list."""
        finer = self._finer(column)
        if finer is not None:
            at = f"{_coarser(column, finer)}[{self.word(finer)}]"
        else:
            marginal, share = self.told.of(self.table.name, column.name), self._share(column)
            at = drawn.position(marginal, share) if marginal else drawn.early(len(column.codes), share)
        return self._allowed(column, at)

    def _allowed(self, column: Stored, at: str) -> str:
        """The place of a word that its rules let stand there, and that a person of this sex may have."""
        kept = self._ruled.listed(column)
        at = f"{kept}[{at}]" if kept else at
        both = sexed(self.d, self.table, column)
        if both is None:
            return at
        person = Row(self.d, self.d.person_table, self.told, at="person_")
        sex = next(c for c in person.columns if c.name == both.column)
        return f"{both.places(person.word(sex), len(column.codes))}[{at}]"

    def _drawn(self, column: Stored) -> str:
        if column.codes:
            return f"[{', '.join(map(literal, column.codes))}][{self.word(column)}]"
        marginal = self.told.of(self.table.name, column.name)
        if column.kind == "boolean":
            return drawn.truth(marginal, self._share(column)) if marginal else f"{self._share(column)} < {HIT}"
        if column.kind == "text":  # a pseudonym that joins nothing
            return drawn.early(1000, self._share(column))
        if column.lower is None or column.upper is None:
            return f"'T' || lpad({drawn.early(1000, self._share(column))}::VARCHAR, 3, '0')"
        number = self.number(column, ())
        return f"DATE '1970-01-01' + ({number})::INTEGER" if column.kind == "date" else number

    def number(self, column: Stored, above: Sequence[str]) -> str:
        """A stored number (days, for dates) that its rules let stand there; `above` are those that wait for it."""
        assert column.lower is not None and column.upper is not None
        marginal: Marginal | None = self.told.of(self.table.name, column.name)
        parts, divisor = self._ruled.parts(column)
        if parts:
            total = " + ".join(f"coalesce({self.value(c)}, 0)::BIGINT * {factor}" for c, factor in parts)
            return bounded(column, f"(({total}) // {divisor})")
        if marginal:
            found = drawn.stored(marginal, self._share(column), self._share(column, " within"))
        else:
            found = f"({column.lower} - 1 + {drawn.early(column.upper - column.lower + 1, self._share(column))})"
        found = self._ruled.held(column, found)
        for other, operator in self._ruled.against(column):
            if other.name not in above:
                theirs = ruled.steps_of(other, column, self.number(other, (*above, column.name)))
                found = self._beside(column, other, operator, found, theirs)
        return found

    def _beside(self, column: Stored, other: Stored, operator: str, found: str, theirs: str) -> str:
        """The number as `operator` lets it stand beside `theirs`."""
        if operator == "=":
            return bounded(column, theirs)
        if operator == "!=":
            moved = f"{theirs} + (CASE WHEN {theirs} < {column.upper} THEN 1 ELSE -1 END)"
            return f"CASE WHEN {found} = {theirs} THEN {moved} ELSE {found} END"
        return self._after(column, other, found, f"({theirs} + {int(operator == '>')})")

    def _after(self, column: Stored, other: Stored, found: str, least: str) -> str:
        """At least `least`: a date comes a stay, or some days, after the other; a lesser number is drawn again above it."""
        if column.kind == "date":
            stay = self._ruled.stay(column, other)
            gap = self.made(stay) if stay else f"{drawn.early(31, self._share(column, ' after'))} - 1"
            return bounded(column, f"({least} + {gap})")
        above = f"{least} + floor({self._share(column, ' above')} * ({column.upper} - {least} + 1))::BIGINT"
        return bounded(column, f"(CASE WHEN {found} < {least} THEN {above} ELSE {found} END)")

    def _unlisted(self, column: Stored) -> str:
        """A text below the values that it decides, if any: it is missing where they are."""
        coarse = [c for c in self.columns if c.name in column.finer_than]
        parts = [f"CAST({self.value(c)} AS VARCHAR)" for c in coarse] or ["'K'"]
        number = f"lpad({drawn.early(UNLISTED, self._share(column))}::VARCHAR, 3, '0')"
        return " || '.' || ".join([*parts, number])


def _coarser(column: Stored, finer: Stored) -> list[int]:
    """For each finer code the place of the code that it stands below: the longest that it begins with, else by its place."""

    def above(at: int, code: str) -> int:
        begins = [n for n, c in enumerate(column.codes) if code.startswith(c)]
        return max(begins, key=lambda n: len(column.codes[n])) if begins else at * len(column.codes) // len(finer.codes)

    return [above(at, code) + 1 for at, code in enumerate(finer.codes)]
