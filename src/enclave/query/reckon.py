"""What is said to be done with noisy numbers?

A `Post` is arithmetic on drawn aggregates, or a condition on answered columns: typed, small, and without anything of the
data. `outputs` reads it from the text, `after` carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Reckon(StrEnum):
    """What may be done with noisy numbers."""

    NUMBER = "number"
    AGGREGATE = "aggregate"
    OUTPUT = "output"
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    OVER = "/"
    NEGATE = "negate"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    EQUAL = "="
    DIFFERENT = "<>"
    AND = "and"
    OR = "or"
    NOT = "not"


@dataclass(frozen=True)
class Post:
    """Free post-processing: the `at`-th aggregate, the answered column `name`, a written number, or an operation."""

    op: Reckon
    at: int = 0
    name: str = ""
    value: Fraction = Fraction(0)
    args: tuple[Post, ...] = ()
    depth: int = field(default=1, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max((a.depth for a in self.args), default=0))

    def walk(self) -> Iterator[Post]:
        yield self
        for arg in self.args:
            yield from arg.walk()


@dataclass(frozen=True)
class Output:
    """An answered column: an aggregate as it is, or what is computed from some."""

    name: str
    post: Post

    @property
    def plain(self) -> int | None:
        """The aggregate, where it is shown as it is."""
        return self.post.at if self.post.op is Reckon.AGGREGATE else None

    @property
    def reads(self) -> tuple[int, ...]:
        return tuple(sorted({p.at for p in self.post.walk() if p.op is Reckon.AGGREGATE}))
