"""What is being asked, in our own words?

A `Plan` is the only thing that stands between an analyst's text and an engine: frozen, typed, small. It holds what
stage 1 may do *within one person* (sources, filter, terms), the one private aggregate layer (keys, aggregates) and the
free post-processing of noisy columns (order, limit). Nothing in it is analyst text except names of output columns and
literals that were parsed into values.

A `Term` is one expression with its proven type. Numbers are whole: a term of scale s means value / s, and its type
carries bounds on the stored integer, so that no product or sum can ever overflow (`WIDEST`). Codes carry the public list
of what they may be. Every operation is total: no cast that may fail, no division, no function of now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from enclave.catalogue.dataset import Column, Kind, Table

WIDEST = 2**62
"""No stored integer of any term may leave ±2⁶²: one doubling below int64."""

DEEPEST = 60
LARGEST = 4_000
"""Terms nested deeper or with more parts are refused: engines have limits of their own, and those must never be met
after a charge."""


class Sort(StrEnum):
    """What a term is."""

    NUMBER = "number"
    CODE = "code"
    DATE = "date"
    TEXT = "text"
    TRUTH = "truth"


SORT_OF_KIND = {
    Kind.INTEGER: Sort.NUMBER,
    Kind.DECIMAL: Sort.NUMBER,
    Kind.CODE: Sort.CODE,
    Kind.DATE: Sort.DATE,
    Kind.TEXT: Sort.TEXT,
    Kind.BOOLEAN: Sort.TRUTH,
}


class Op(StrEnum):
    """What a term does. Every one is total: defined for all values its arguments can take, NULL included."""

    COLUMN = "column"
    LITERAL = "literal"
    NULL = "null"
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    NEGATE = "negate"
    ABSOLUTE = "abs"
    LEAST = "least"  # NULLs are skipped, as in DuckDB and PostgreSQL
    GREATEST = "greatest"
    YEAR = "year"
    MONTH = "month"
    CASE = "case"  # when, then, when, then, …, else
    COALESCE = "coalesce"
    EQUAL = "="
    DIFFERENT = "<>"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    ONE_OF = "in"  # a term, then literals
    MISSING = "is null"
    AND = "and"
    OR = "or"
    NOT = "not"


@dataclass(frozen=True)
class Type:
    """The proven type of a term. `lower`/`upper` bound stored integers (days since 1970 for dates)."""

    sort: Sort
    nullable: bool
    lower: int | None = None
    upper: int | None = None
    scale: int = 1
    codes: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        return self.lower is not None and self.upper is not None

    @property
    def reach(self) -> int:
        """max |x| over stored integers; only of bounded numbers."""
        if self.lower is None or self.upper is None:
            raise ValueError("a term without bounds has no reach")
        return max(abs(self.lower), abs(self.upper))


@dataclass(frozen=True)
class Ref:
    """A column of the n-th source of the plan."""

    source: int
    column: Column


@dataclass(frozen=True)
class Term:
    """One expression. `ref` belongs to COLUMN, `value` to LITERAL (an int for numbers and dates)."""

    op: Op
    type: Type
    args: tuple[Term, ...] = ()
    ref: Ref | None = None
    value: int | str | bool | None = None
    depth: int = field(default=1, compare=False)
    size: int = field(default=1, compare=False)

    def __post_init__(self) -> None:
        if (self.op is Op.COLUMN) != (self.ref is not None) or (self.op is Op.LITERAL) != (self.value is not None):
            raise ValueError(f"malformed term {self.op}")
        object.__setattr__(self, "depth", 1 + max((a.depth for a in self.args), default=0))
        object.__setattr__(self, "size", 1 + sum(a.size for a in self.args))

    def walk(self) -> Iterator[Term]:
        yield self
        for arg in self.args:
            yield from arg.walk()


@dataclass(frozen=True)
class Source:
    """One table of the plan. The first is the root: every row of the plan is one row of it, used once.

    Every other is reached from an earlier source by a declared join: near.`column` = `to`, unique there.
    """

    table: Table
    near: int = 0
    column: str = ""
    to: str = ""
    keep_unmatched: bool = False
    """True for LEFT JOIN: the root's row stays, with NULL on this side."""


@dataclass(frozen=True)
class Key:
    """A public group key: every value it can take is known from text and dictionary (`domain`, None = NULL)."""

    name: str
    term: Term
    domain: tuple[int | str | bool | None, ...]


class Measure(StrEnum):
    """The private aggregates of today."""

    ROWS = "rows"  # COUNT(*), COUNT(term)
    PERSONS = "persons"  # COUNT(DISTINCT unit)
    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True)
class Aggregate:
    """One private output column. `term` is None for COUNT(*) and COUNT(DISTINCT unit)."""

    name: str
    measure: Measure
    term: Term | None = None


@dataclass(frozen=True)
class Ordering:
    """Free post-processing: sort by an output column."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Plan:
    """One question, understood."""

    sources: tuple[Source, ...]
    where: Term | None
    keys: tuple[Key, ...]
    aggregates: tuple[Aggregate, ...]
    order: tuple[Ordering, ...] = ()
    limit: int | None = None

    @property
    def root(self) -> Table:
        return self.sources[0].table

    @property
    def cells(self) -> int:
        cells = 1
        for key in self.keys:
            cells *= len(key.domain)
        return cells

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(s.table.name for s in self.sources)

    @property
    def variables(self) -> frozenset[tuple[str, str]]:
        """(table, column) of everything the question reads, joins and the person key included: what a grant is held
        against. The root's person key always stands here, so that no table is counted without being named."""
        read = {(s.table.name, c) for s in self.sources for c in (s.to,) if c} | {(self.root.name, self.root.unit)}
        read |= {(self.sources[s.near].table.name, s.column) for s in self.sources if s.column}
        terms = [k.term for k in self.keys] + [a.term for a in self.aggregates if a.term] + [self.where]
        for term in terms:
            for part in term.walk() if term else ():
                if part.ref:
                    read.add((self.sources[part.ref.source].table.name, part.ref.column.name))
        return frozenset(read)
