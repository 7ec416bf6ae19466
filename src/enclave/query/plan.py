"""What is being asked, in our own words?

A `Plan` is the only thing that stands between an analyst's text and an engine: frozen, typed, small. It holds what
stage 1 may do *within one person* (sources, filter, terms), the one private aggregate layer (keys, aggregates) and the
free post-processing of noisy columns (order, limit). Nothing in it is analyst text except names of output columns and
literals that were parsed into values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from enclave.catalogue.dataset import Column, Facet, Keys, Table
from enclave.query.reckon import Output, Post, Reckon
from enclave.query.term import DEEPEST, LARGEST, SORT_OF_KIND, WIDEST, Op, Ref, Sort, Term, Type

__all__ = ["DEEPEST", "LARGEST", "SORT_OF_KIND", "WIDEST", "Op", "Ref", "Sort", "Term", "Type"]
"""A plan is made of terms: what they are made of is named here too."""

MOST_CELLS = 10_000
"""Groups of one answer, counted over the full product of its keys."""

MOST_FOUND = 2_000
"""Values of an unlisted key in one answer."""


@dataclass(frozen=True)
class Made(Column):
    """A column computed within one person: the `at`-th of its rows. Its name is the analyst's, what is emitted is ours."""

    at: int = 0
    clipped: bool = False
    """Its bound was chosen by the planner, not written: beyond it nothing can be told apart."""

    @property
    def stored(self) -> str:
        return f"made_{self.at}"

    @property
    def total_norm(self) -> str:
        """None rests anywhere, and the name would be the analyst's text."""
        raise ValueError("a column made within one person has no stored norm")


@dataclass(frozen=True)
class MadeFacet(Facet):
    """A column of rows made within one person under which their counts have a norm: that of the rows below them."""

    at: int = 0

    @property
    def norm(self) -> str:
        return f"norm_{self.at}"

    @property
    def distinct_norm(self) -> str:
        """As `Made.total_norm`: of made rows no distinct cells are stored, and none is marked first."""
        raise ValueError("rows made within one person have no norm of distinct cells")

    @property
    def first(self) -> str:
        raise ValueError("no row made within one person is marked")


@dataclass(frozen=True)
class Lent:
    """A stored norm of the rows below that bounds the rows made of them: there are no more of these, cell by cell. It
    stands beside them as `name`; the square of a stored root of a count is that count."""

    name: str
    stored: str
    squared: bool = False


class Verb(StrEnum):
    """What may be computed over the rows of one person. All exact, all whole."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"
    LEAST = "min"
    GREATEST = "max"
    MEAN = "avg"  # to a hundredth of a stored step, the nearest


HUNDREDTHS = 100
"""What a mean within one person is told in, of the steps its values are stored in."""


@dataclass(frozen=True)
class Part:
    """One aggregate over rows of one person, of those where `only` holds, kept within `clip` (stored integers)."""

    verb: Verb
    term: Term | None = None
    only: Term | None = None
    clip: tuple[int, int] | None = None


@dataclass(frozen=True)
class PerPerson:
    """Rows of one person grouped, counted, summed: one row per person where there are no `keys`.

    `columns` and `having` are terms over one source whose columns are the keys, then the parts.
    """

    sources: tuple[Source, ...]
    where: Term | None
    keys: tuple[Term, ...]
    parts: tuple[Part, ...]
    columns: tuple[Term, ...]
    having: Term | None = None
    said: tuple[str, ...] = ()
    """Which clips the planner chose, in words, for the price of the question."""
    lent: tuple[Lent, ...] = ()

    @property
    def variables(self) -> frozenset[tuple[str, str]]:
        terms = [*self.keys, *(t for p in self.parts for t in (p.term, p.only)), self.where]
        return variables_of(self.sources, terms)

    @property
    def selects(self) -> int:
        """How many SELECTs stand in it, itself among them."""
        return 1 + sum(s.made.selects for s in self.sources if s.made)

    @property
    def size(self) -> int:
        """Parts of all its terms, and of what it reads."""
        terms = [*self.keys, *(t for p in self.parts for t in (p.term, p.only)), self.where, *self.columns, self.having]
        return sum(t.size for t in terms if t) + len(self.parts)


@dataclass(frozen=True)
class Branch:
    """Rows as they stand: a filter and terms."""

    sources: tuple[Source, ...]
    where: Term | None
    columns: tuple[Term, ...]


@dataclass(frozen=True)
class Stacked:
    """Rows of one or more branches, one after another (UNION ALL)."""

    branches: tuple[Branch, ...]
    said: tuple[str, ...] = ()
    """Which clips the planner chose, in words, for the price of the question."""

    @property
    def windows(self) -> int:
        """How many windows are computed over their rows."""
        return sum(part.op is Op.WINDOW for b in self.branches for t in b.columns for part in t.walk())

    @property
    def selects(self) -> int:
        """How many SELECTs stand in it."""
        return sum(1 + sum(s.made.selects for s in b.sources if s.made) for b in self.branches)

    @property
    def variables(self) -> frozenset[tuple[str, str]]:
        return frozenset(v for b in self.branches for v in variables_of(b.sources, [*b.columns, b.where]))

    @property
    def size(self) -> int:
        return sum(t.size for b in self.branches for t in (*b.columns, b.where) if t)


Within = PerPerson | Stacked
"""What is computed within one person before anything private."""


@dataclass(frozen=True)
class Source:
    """One table of the plan. The first is the root: every row of the plan is one row of it, used once.

    Every other is reached from an earlier source by a declared join: near.`column` = `to`, unique there. `table` is one
    of the dictionary, or describes rows `made` within one person.
    """

    table: Table
    near: int = 0
    column: str = ""
    to: str = ""
    keep_unmatched: bool = False
    """True for LEFT JOIN: the root's row stays, with NULL on this side."""
    made: Within | None = None
    many: bool = False
    """Reached on the person's key, and one row may meet many."""
    idle: bool = False
    """All that is read of it rests beside the root's rows: it is not joined at all."""

    @property
    def is_bounded(self) -> bool:
        """As a root: each person has one row, or a stored norm of them."""
        lends = isinstance(self.made, PerPerson) and bool(self.made.lent)
        return self.made is None or self.table.one_row_per_person or lends


def variables_of(sources: tuple[Source, ...], terms: Iterable[Term | None]) -> frozenset[tuple[str, str]]:
    """(table, column) of the dictionary that these sources and terms read, joins and the root's person key included."""
    read: set[tuple[str, str]] = set()

    def add(at: int, column: str) -> None:
        if column and sources[at].made is None:
            read.add((sources[at].table.name, column))

    add(0, sources[0].table.unit)
    for at, source in enumerate(sources):
        read |= source.made.variables if source.made else frozenset()
        if at:
            add(at, source.to)
            add(source.near, source.column)
    for part in (part for term in terms if term for part in term.walk()):
        if part.ref:
            add(part.ref.source, part.ref.column.name)
        for name in part.window.tie if part.window else ():
            add(0, name)
    return frozenset(read)


@dataclass(frozen=True)
class Key:
    """A group key. Of a public one every value it can take is known from text and dictionary (`domain`, None = NULL). Of an
    unlisted one the values are found by noisy counts of persons, and stand in `domain` only then."""

    name: str
    term: Term
    domain: tuple[int | str | bool | None, ...]
    unlisted: Keys | None = None


class Measure(StrEnum):
    """The private aggregates of today."""

    ROWS = "rows"  # COUNT(*), COUNT(term)
    PERSONS = "persons"  # COUNT(DISTINCT unit)
    KEYS = "keys"  # the same by an unlisted key alone: what its values are found by
    SUM = "sum"
    MEAN = "mean"
    VAR_POP = "var_pop"
    VAR_SAMP = "var_samp"
    STDDEV_POP = "stddev_pop"
    STDDEV_SAMP = "stddev_samp"
    COVAR_POP = "covar_pop"
    COVAR_SAMP = "covar_samp"
    CORR = "corr"
    QUANTILE = "quantile"
    VALUES = "values"  # COUNT(DISTINCT term)
    SSCP = "sscp"  # all products of its columns, as one vector


@dataclass(frozen=True)
class Aggregate:
    """One private output column. `term` is None for COUNT(*) and COUNT(DISTINCT unit); `other` is the second column of a
    covariance."""

    name: str
    measure: Measure
    term: Term | None = None
    other: Term | None = None
    point: Fraction | None = None
    """Which quantile."""
    columns: tuple[Term, ...] = ()
    called: tuple[str, ...] = ()
    """The columns of a matrix of products, and their names."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """All that it reads."""
        return tuple(t for t in (self.term, self.other, *self.columns) if t is not None)


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
    reckoned: tuple[Output, ...] = ()
    """What is shown, where it is not the aggregates one by one."""
    having: Post | None = None
    apart: bool = False
    """Persons are told apart in the question itself though a norm of theirs is stored: it is of all their rows, and a filter
    lets few of them through."""
    pure: bool = False
    """Counted in pure ε: rows are weighed by l1 norms alone."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The answered columns, in order."""
        plain = tuple(Output(a.name, Post(Reckon.AGGREGATE, at=at)) for at, a in enumerate(self.aggregates))
        return self.reckoned or plain

    @property
    def root(self) -> Table:
        return self.sources[0].table

    @property
    def exact(self) -> bool:
        """True when no stored norm bounds the rows: they are joined many to many, made of what has none, or told apart."""
        return self.apart or not self.sources[0].is_bounded or any(s.many for s in self.sources)

    @property
    def row_clip(self) -> int:
        """How many rows of one person are expected at most, by the descriptor."""
        return math.prod(s.table.row_clip for i, s in enumerate(self.sources) if i == 0 or s.many)

    @property
    def unlisted(self) -> Key | None:
        """The key whose values are still to be found."""
        return next((k for k in self.keys if k.unlisted), None)

    @property
    def listed_cells(self) -> int:
        return math.prod(len(k.domain) for k in self.keys if not k.unlisted)

    @property
    def most_found(self) -> int:
        """How many values of an unlisted key are kept at most: those of the largest noisy counts."""
        keys = self.unlisted.unlisted if self.unlisted else None
        return min(keys.in_all, MOST_FOUND, MOST_CELLS // self.listed_cells) if keys else 1

    @property
    def cells(self) -> int:
        """Groups of the answer; at most so many where values are still to be found."""
        return self.listed_cells * self.most_found

    def with_found(self, values: tuple[str | None, ...]) -> Plan:
        """The same question over the values that were found: all its keys are public now."""
        keys = tuple(replace(k, domain=values, unlisted=None) if k.unlisted else k for k in self.keys)
        return replace(self, keys=keys)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(s.table.name for s in self.sources)

    @property
    def variables(self) -> frozenset[tuple[str, str]]:
        """What a grant is held against. The root's person key always stands here, so that no table is counted without
        being named."""
        terms = [k.term for k in self.keys] + [t for a in self.aggregates for t in a.terms] + [self.where]
        return variables_of(self.sources, terms)
