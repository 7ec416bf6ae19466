"""What is added up for one mechanism, and how far can one person move it?

A tally is one integer vector over the public keys, in units of 1/65536: whose rows, weighed by which stored norm, adding
what. Its l2 sensitivity follows from the clip of the norm and the largest value a row may have; which norm may stand
here is the business of `bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from math import isqrt

from enclave.catalogue.dataset import NORM_STEP, WEIGHT_ONE
from enclave.profile import Clipping
from enclave.query.plan import Term
from enclave.query.sscp import ONE, Matrix


class Style(StrEnum):
    """How rows are brought into a tally."""

    ROWS = "rows"  # each row of the root, weighed
    FLAGGED = "flagged"  # rows that carry the first-occurrence flag of the facet
    DISTINCT = "distinct"  # one row per person and cell
    KEYS = "keys"  # one row per person and value of an unlisted key, among those the person is counted in
    VALUES = "values"  # each distinct value of the term once, by the largest weight of the persons who have it
    EXACT = "exact"  # each row, weighed by the length of the person's own vector, found in the question itself
    EXACT_DISTINCT = "exact distinct"  # one row per person and cell, weighed so


@dataclass(frozen=True)
class Norm:
    """The stored norm a tally is weighed by, and its clip. Without a column no vector is longer than the clip, 1."""

    column: str | None
    clip: int
    flag: str | None = None
    squared: bool = False
    """The square of a stored root of a count is that count, an l1 norm: `clip` stands for its square too."""
    at: int | None = None
    """The aggregate whose own values make the vector, where the question finds its norm itself."""
    together: bool = False
    """Of a norm the question finds itself: what a person adds to all cells together (l1), as pure ε counts."""
    advised: bool = False
    """The clip is the advisor's, from the paid profile, not the policy's."""

    def __post_init__(self) -> None:
        if self.clip < 1 or (self.column is None and self.clip != 1):
            raise ValueError("a clip is a whole number, at least 1")

    @property
    def reach(self) -> int:
        """No person's vector is longer."""
        return self.clip * self.clip if self.squared else self.clip

    @property
    def clipped_from(self) -> int:
        """Stored norms up to this need no weight."""
        return self.clip * NORM_STEP

    @property
    def numerator(self) -> int:
        """weight = numerator // stored norm (or its square), above `clipped_from`."""
        return self.reach * WEIGHT_ONE * (NORM_STEP * NORM_STEP if self.squared else NORM_STEP)


ONE_PER_PERSON = Norm(None, 1)

EXACT = "exact norm per person"
EXACT_TOTAL = "exact total per person"
EXACT_ROWS = "exact rows per person"
"""What stands for the name of a stored norm where the question finds the norm itself."""


@dataclass(frozen=True)
class Product:
    """The other factor of a centred product, the middle of what the product can be, and the grain its total is divided by.

    Dividing a total moves it by at most one more than the quotient of what its rows moved it by; `slack` is the length of
    such ones over all cells, in the norm of the sensitivity."""

    other: Term
    centre: int
    clamp: tuple[int, int]
    middle: int
    grain: int
    slack: int


@dataclass(frozen=True)
class Bins:
    """Public bins of a bounded term: `width` stored integers each, from `lower` on; the last may be narrower."""

    term: Term
    lower: int
    upper: int
    width: int

    @property
    def count(self) -> int:
        return (self.upper - self.lower) // self.width + 1

    def lowest(self, at: int) -> int:
        """The least value of a bin; of one before the first, the bound."""
        return max(self.lower, self.lower + at * self.width)

    def highest(self, at: int) -> int:
        """The greatest value of a bin; of one after the last, the bound."""
        return min(self.upper, self.lower + (at + 1) * self.width - 1)

    def middle(self, at: int) -> float:
        return (self.lowest(at) + self.highest(at)) / 2


class Side(IntEnum):
    """Which choice of three: the number, or an end of its interval."""

    LOW = -1
    POINT = 0
    HIGH = 1


@dataclass(frozen=True)
class Tally:
    """One integer vector over the public keys. `counts` says whether rows add 1 or the value of `term`."""

    aggregate: int
    style: Style
    norm: Norm
    term: Term | None = None
    counts: bool = True
    centre: int = 0
    clamp: tuple[int, int] | None = None
    factor: int = 1
    """max |value| of a row where the norm counts rows; 1 where the norm is already Σ|x|."""
    part: str = ""
    """Which of the tallies of its aggregate, where there are several of values."""
    product: Product | None = None
    known: tuple[Term, ...] = ()
    """Only rows where all of these have a value."""
    bins: Bins | None = None
    """Counted by these bins too: a finer grouping."""
    side: Side | None = None
    """A bin is chosen by score instead of every bin being told with noise."""
    matrix: Matrix | None = None
    """All its entries at once, as one vector."""
    clipping: Clipping | None = None
    """What the clip may take, by the paid profile; None where nothing paid tells."""
    votes: int = 0
    """Persons are counted only in the values of an unlisted key that are marked for them: in at most so many cells."""

    @property
    def sensitivity(self) -> int:
        """l2 (in pure ε l1), in 1/65536: no person's vector is longer."""
        if self.votes:
            return isqrt(self.votes * WEIGHT_ONE**2 - 1) + 1
        return self.factor * self.norm.reach * WEIGHT_ONE + (self.product.slack if self.product else 0)

    @property
    def is_numbered(self) -> bool:
        """A finer grouping than by the keys: rows of the engine carry the number of a bin, or of an entry."""
        return self.bins is not None or self.matrix is not None

    @property
    def size(self) -> int:
        """How many totals each cell has."""
        return self.bins.count if self.bins else self.matrix.count if self.matrix else 1

    @property
    def unit(self) -> Fraction:
        """What 1 of the answer is here: stored totals / unit."""
        if self.matrix:
            return Fraction(WEIGHT_ONE * ONE)
        if self.counts or self.term is None:
            return Fraction(WEIGHT_ONE)
        unit = Fraction(WEIGHT_ONE * self.term.type.scale)
        return unit * self.product.other.type.scale / self.product.grain if self.product else unit

    @property
    def bound(self) -> str:
        """In words, for the price of the question."""
        if self.votes:
            return f"at most {self.votes} cells a person, no clipping"
        what = self.norm.column or "one per person"
        kept = "no clipping" if self.norm.column is None else f"clipped at {self.norm.clip}"
        kept += " (advisor)" if self.norm.advised else ""
        if self.bins:
            return f"{what}, {kept}, {self.bins.count} bins"
        if self.matrix:
            length = f"{self.factor / ONE:.2f}"
            return f"{what}, {kept}, {self.matrix.count} products of one row at most {length} long together"
        return f"{what}, {kept}" + (f", values within ±{self.factor}" if self.factor != 1 else "")


def centre_of(term: Term) -> int:
    """The middle of the bounds, in stored integers."""
    return ((term.type.lower or 0) + (term.type.upper or 0)) // 2
