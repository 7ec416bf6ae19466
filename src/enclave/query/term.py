"""What is one expression of a question, and what is proved of it?

A `Term` is one expression with its proven type. Numbers are whole: a term of scale s means value / s, and its type
carries bounds on the stored integer, so that no product or sum can ever overflow (`WIDEST`). Codes carry the public list
of what they may be. Every operation is total: no cast that may fail, no division, no function of now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from enclave.catalogue.dataset import Column, Kind

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
    KEY = "key"  # text whose values nobody lists
    DATE = "date"
    TEXT = "text"
    TRUTH = "truth"


SORT_OF_KIND = {
    Kind.INTEGER: Sort.NUMBER,
    Kind.DECIMAL: Sort.NUMBER,
    Kind.CODE: Sort.CODE,
    Kind.KEY: Sort.KEY,
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
    FLOOR = "floor"  # of a quotient by a written whole number
    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"
    WEEKDAY = "dayofweek"  # 0 is Sunday
    ISO_WEEKDAY = "isodow"  # 1 is Monday
    DAY_OF_YEAR = "dayofyear"
    WEEK = "week"  # of ISO 8601
    DAYS = "days between"
    LEFT = "left"
    BEGINS = "starts_with"
    WINDOW = "over"
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
    """A column of the n-th source of the plan. `beside` is the name under which it rests beside the root's rows too."""

    source: int
    column: Column
    beside: str = ""


@dataclass(frozen=True)
class Window:
    """Over which rows of the person, in which order, a function is computed. The arguments of its term are the value, if it
    has one, then `partitioned` terms of the partition, then the terms of the order, as many as there are `directions`."""

    verb: str
    unit: str
    partitioned: int
    directions: tuple[tuple[bool, bool], ...]
    """Descending? Missing values first?"""
    tie: tuple[str, ...] = ()
    """The key that makes the order total; none where ties share what they get, or nothing is ordered."""
    frame: tuple[int | None, int | None] | None = None
    """First and last row, counted from the row itself; None: without an end."""
    step: int | None = None
    clip: tuple[int, int] | None = None
    chosen: bool = False
    """The clip was chosen by the planner, not written: beyond it nothing can be told apart."""


@dataclass(frozen=True)
class Term:
    """One expression. `ref` belongs to COLUMN, `value` to LITERAL (an int for numbers and dates)."""

    op: Op
    type: Type
    args: tuple[Term, ...] = ()
    ref: Ref | None = None
    value: int | str | bool | None = None
    window: Window | None = None
    depth: int = field(default=1, compare=False)
    size: int = field(default=1, compare=False)

    def __hash__(self) -> int:
        """Found once: a price looks up again and again what is let through by one condition."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.op, self.type, self.args, self.ref, self.value, self.window))

    def __post_init__(self) -> None:
        if (self.op is Op.COLUMN) != (self.ref is not None) or (self.op is Op.LITERAL) != (self.value is not None):
            raise ValueError(f"malformed term {self.op}")
        if (self.op is Op.WINDOW) != (self.window is not None):
            raise ValueError(f"malformed term {self.op}")
        object.__setattr__(self, "depth", 1 + max((a.depth for a in self.args), default=0))
        object.__setattr__(self, "size", 1 + sum(a.size for a in self.args))

    def walk(self) -> Iterator[Term]:
        yield self
        for arg in self.args:
            yield from arg.walk()
