"""What is known of a dataset without looking at it?

Everything here comes from the signed descriptor (types, bounds, code lists, facets, joins, and the names of the stored
norms, design §4) and, once the population paid for it, from a private profile. The planner reads nothing else. Numbers are
stored as integers: a stored value is `value * scale`.

Stored norms are integers in 1/256 steps, rounded up, at least 1, NOT NULL, one value per person repeated on each row:

    unit_rows           the person's row count in this table (an l1 norm; it bounds every grouping)
    first_unit          BOOLEAN: true on exactly one row of the person
    norm_FACET          l2 norm of the person's row counts by FACET (NULL and unlisted values are cells of their own)
    distinct_FACET      l2 norm of the person's distinct FACET cells, i.e. sqrt(how many)
    first_FACET         BOOLEAN: true on exactly one row of the person in each FACET cell
    total_COLUMN        Σ|x| of the person over the clamped stored integers of COLUMN (in 1/256 steps too)

Of a column of unlisted keys two flags are stored instead (`intake.votes`); NULL is a value too:

    among_COLUMN        BOOLEAN: the row's value is one of the at most K values the person is counted in
    vote_COLUMN         BOOLEAN: true on exactly one row of the person for each of those

Beside every row rests what its joins carry, under the name TABLE_COLUMN: the same values as there (checked at build).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from enclave.catalogue.profile import Profile

NORM_STEP = 256
"""Stored norms count 1/256: a norm of 1.0 is stored as 256."""

WEIGHT_ONE = 65536
"""The integer weight of a row that is not clipped."""


class Kind(StrEnum):
    """How a column is stored, and so what may be done with it."""

    INTEGER = "integer"  # a whole number within [lower, upper]
    DECIMAL = "decimal"  # stored as a whole number: value * scale
    CODE = "code"  # one of a public list; an ENUM made from the policy
    KEY = "key"  # text of a public form whose values nobody lists: groups by it are found by noisy counts
    DATE = "date"
    TEXT = "text"  # no list, no bounds: may be counted, never grouped or summed
    BOOLEAN = "boolean"
    PROSE = "prose"  # free text that was gone through: no question may name it


@dataclass(frozen=True)
class Column:
    """A stored column of an extract. `lower` and `upper` are stored integers (days since 1970-01-01 for dates)."""

    name: str
    kind: Kind
    lower: int | None = None
    upper: int | None = None
    scale: int = 1
    codes: tuple[str, ...] = ()
    nullable: bool = True
    title: str = ""
    title_zh: str = ""
    measure: str = ""
    finer_than: tuple[str, ...] = ()
    """Facets this column refines: equal values here imply equal values there (checked at build)."""
    total_clip: int | None = None
    """C for sums of this column, in stored integers; None: not summable."""

    @property
    def is_number(self) -> bool:
        return self.kind in (Kind.INTEGER, Kind.DECIMAL)

    @property
    def total_norm(self) -> str:
        return f"total_{self.name}"


@dataclass(frozen=True)
class Facet:
    """A column whose per-person norms are stored. Clips are C in rows (or cells), whole numbers."""

    column: str
    clip: int
    distinct_clip: int

    @property
    def norm(self) -> str:
        return f"norm_{self.column}"

    @property
    def distinct_norm(self) -> str:
        return f"distinct_{self.column}"

    @property
    def first(self) -> str:
        return f"first_{self.column}"


@dataclass(frozen=True)
class Keys:
    """A column that may be a group key though nobody lists its values."""

    column: str
    per_person: int
    """K: a person is counted in at most so many distinct values, whatever a question filters."""
    in_all: int
    """The whole column has at most so many (checked at build)."""

    @property
    def among(self) -> str:
        return f"among_{self.column}"

    @property
    def vote(self) -> str:
        return f"vote_{self.column}"


@dataclass(frozen=True)
class Join:
    """A declared join whose far side is unique on its key (checked at build): each near row meets one far row."""

    column: str
    table: str
    to: str
    carries: tuple[str, ...] = ()
    """Columns there that rest beside each near row too."""

    def carried(self, name: str) -> str | None:
        """Under which name a column there rests beside the near row, if it does."""
        return f"{self.table}_{name}" if name in self.carries else None


@dataclass(frozen=True)
class Table:
    """One table of an extract. `unit` names the pseudonymous person key; it is never shown and never a group key."""

    name: str
    unit: str
    columns: tuple[Column, ...]
    row_clip: int
    key: tuple[str, ...] = ()
    """Columns declared and checked unique together; () when none."""
    facets: tuple[Facet, ...] = ()
    keys: tuple[Keys, ...] = ()
    joins: tuple[Join, ...] = ()
    registers: tuple[str, ...] = ()
    """Person registers its rows draw on beside the dataset's own."""
    size_class: int = 0
    """Public, rounded number of its rows, from the policy; 0: that of the dataset."""
    title: str = ""
    title_zh: str = ""

    @property
    def one_row_per_person(self) -> bool:
        """True when the person key is itself the unique key: every column here is a function of the person."""
        return self.key == (self.unit,)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def facet(self, name: str) -> Facet | None:
        return next((f for f in self.facets if f.column == name), None)

    def keys_of(self, name: str) -> Keys | None:
        return next((k for k in self.keys if k.column == name), None)


@dataclass(frozen=True)
class Lookup:
    """What a reference table tells of its codes: (value, the codes it is told of). A code stands under one value at most."""

    name: str
    values: tuple[tuple[str | int, tuple[str, ...]], ...]
    title: str = ""
    title_zh: str = ""


@dataclass(frozen=True)
class Reference:
    """A public table, text of the policy: one row for each of `codes`. Nobody's rows; no extract holds it."""

    name: str
    key: str
    codes: tuple[str, ...]
    columns: tuple[Lookup, ...]
    title: str = ""
    title_zh: str = ""


@dataclass(frozen=True)
class Dataset:
    """One version of a dataset: its dictionary, and the digests that pin the extract and the policy it was built under."""

    name: str
    version: int
    register: str
    grade: int
    domain: str
    delta: str
    """δ at which ε is converted, as a decimal text: "1e-6"."""
    size_class: int
    """Public, rounded number of rows of the largest table, from the policy: it fixes reply moments."""
    tables: tuple[Table, ...]
    digest: str
    policy_digest: str
    demo: bool
    keys_delta: str = ""
    """The δ of one draw of unlisted keys; "" where no table has such keys."""
    unit: str = "person"
    references: tuple[Reference, ...] = ()
    title: str = ""
    title_zh: str = ""
    openness: str = ""
    """closed, conditional or unconditional; "" where nobody has said."""
    legal_basis: str = ""
    covers_from: str = ""
    covers_to: str = ""
    renewed: str = ""
    """Which days the records are of, and how often they are to be renewed, as stated; "" where nobody has said."""
    profile: Profile | None = None
    """What was bought of its persons, if it was: a paid revision of what is known, not part of the signed text."""

    @property
    def registers(self) -> tuple[str, ...]:
        """All that it draws on, its own first: who profiles it, reads all of its tables."""
        return self.registers_of(t.name for t in self.tables)

    def registers_of(self, tables: Iterable[str]) -> tuple[str, ...]:
        """Those that a question over these tables draws on, and is charged to, each in full. Every person of a dataset
        stands in its own register, whichever table is read."""
        read = set(tables)
        others = {register for t in self.tables if t.name in read for register in t.registers}
        return (self.register, *sorted(others - {self.register}))

    def rows_of(self, *tables: str) -> int:
        """How many rows the largest of these tables may have, by public text."""
        own = (t.size_class or self.size_class for t in self.tables if t.name in tables)
        return min(max(own, default=self.size_class), self.size_class)

    def persons_of(self, table: Table) -> int:
        """How many persons may have a row there. Who has one has one in every table it is joined to by the person: rows of
        nobody are left out at intake."""
        far = (j.table for j in table.joins if j.column == table.unit)
        single = (t.name for t in self.tables if t.one_row_per_person)
        return min(self.rows_of(name) for name in {table.name, *({*far} & {*single})})

    @property
    def names(self) -> frozenset[str]:
        """Of its tables, in small letters."""
        return frozenset([*(t.name.lower() for t in self.tables), *(r.name.lower() for r in self.references)])

    def table(self, name: str) -> Table | None:
        return next((t for t in self.tables if t.name == name), None)
