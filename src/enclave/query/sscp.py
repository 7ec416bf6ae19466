"""Which products of columns does SSCP(y, x, …) add up, and how far can one row move them all together?

Sums of squares and cross-products are all that a linear model reads of its rows. Each variable becomes one or more slots:
a number is brought to z = (x − middle) / half of its bounds, so that |z| ≤ 1; a code has a slot for each code of its public
list, 1 where the row has it; a condition has one, 1 where it holds. Before them stands the slot that is always 1. Entries
are the products of two slots, one of each pair, but for what is known without asking (two codes of one list never meet):

    1 · 1           Σw, the rows
    1 · z, 1 · code Σw·z, Σw over the rows of the code
    z · z           Σw·(z² − ½): counted from the middle of what a square can be, so it moves by ½ only
    all others      Σw·z·z′, Σw·z over the rows of the code, Σw over the rows of both codes

They are one vector, so they are one mechanism. Of a code's slots only one is not 0 in any row, hence the vector of one row
is at most √(1 + B + M/4 + B(B−1)/2) long for B variables of which M are numbers, however many codes there are: asked one
by one, the entries would share the price by their number. In pure ε the vector is as long as its entries together, at most
1 + B + M/2 + B(B−1)/2. z is cut into 1024 levels, so that entries are whole numbers of at most 2¹⁸. Where the bounds allow
it each whole value has a level of its own, and nothing is rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

from enclave.query.plan import Aggregate, Measure, Plan, Sort, Term

HALF = 2**9
"""Levels from the middle of a number's bounds to their end."""

ONE = HALF * HALF
"""An entry of 1, in whole numbers. Times weight 2¹⁶ times 2²⁸ rows it stays under 2⁶³."""

LABELS = tuple(f"{side}{what}" for side in ("left", "right") for what in ("", "_code", "_middle", "_half"))
"""What says which entry a number is: of each side the variable, its code, and the middle and half of its bounds."""

Label = tuple[str, str | None, float | None, float | None]


@dataclass(frozen=True)
class Variable:
    """One column of the model."""

    name: str
    term: Term

    @property
    def is_number(self) -> bool:
        return self.term.type.sort is Sort.NUMBER

    @property
    def codes(self) -> tuple[str, ...]:
        return self.term.type.codes if self.term.type.sort is Sort.CODE else ("true",)

    @property
    def middle(self) -> int:
        """In stored integers."""
        return ((self.term.type.lower or 0) + (self.term.type.upper or 0)) // 2

    @property
    def half(self) -> int:
        """The farthest a stored value may be from the middle."""
        return max((self.term.type.upper or 0) - self.middle, self.middle - (self.term.type.lower or 0), 1)

    @property
    def step(self) -> int:
        """Levels from one stored value to the next, where that wastes no more than 4 % of them; else 0: they are rounded."""
        step = HALF // self.half
        return step if 25 * step * self.half >= 24 * HALF else 0

    @property
    def reach(self) -> Fraction:
        """Stored integers from the middle to where z is 1."""
        return Fraction(HALF, self.step) if self.step else Fraction(self.half)


@dataclass(frozen=True)
class Slot:
    """The `at`-th variable (−1: the slot that is always 1), or one code of it."""

    at: int
    code: str | None = None


@dataclass(frozen=True)
class Matrix:
    """All entries of one SSCP."""

    variables: tuple[Variable, ...]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        made = [Slot(-1)]
        for at, variable in enumerate(self.variables):
            made += [Slot(at)] if variable.is_number else [Slot(at, code) for code in variable.codes]
        return tuple(made)

    @cached_property
    def entries(self) -> tuple[tuple[Slot, Slot], ...]:
        """In the order in which they are answered."""
        one, *others = self.slots
        squares = [(s, s) for s in others if s.code is None]
        crossed = [(a, b) for a, b in combinations(others, 2) if a.at != b.at]
        return ((one, one), *((one, s) for s in others), *squares, *crossed)

    @property
    def count(self) -> int:
        return len(self.entries)

    @property
    def length(self) -> int:
        """No row's vector is longer (l2), in whole numbers of which `ONE` is 1."""
        several, numbers = len(self.variables), sum(v.is_number for v in self.variables)
        quarters = 4 + 4 * several + numbers + 2 * several * (several - 1)
        return 1 + math.isqrt(ONE * ONE * quarters // 4 - 1)

    @property
    def length_together(self) -> int:
        """No row's entries come to more (l1): 1 for the row, 1 for each variable, ½ for each square, 1 for each pair."""
        several, numbers = len(self.variables), sum(v.is_number for v in self.variables)
        return ONE // 2 * (2 + 2 * several + numbers + several * (several - 1))

    @property
    def groups(self) -> int:
        """How many combinations of codes rows may have."""
        return math.prod(len(v.codes) + 1 for v in self.variables if not v.is_number)

    def labels(self) -> list[tuple[Label, Label]]:
        return [(self._label(a), self._label(b)) for a, b in self.entries]

    def _label(self, slot: Slot) -> Label:
        if slot.at < 0:
            return "1", None, None, None
        variable = self.variables[slot.at]
        if slot.code is not None:
            return variable.name, slot.code, None, None
        scale = variable.term.type.scale
        return variable.name, None, variable.middle / scale, float(variable.reach / scale)


def matrix_of(aggregate: Aggregate) -> Matrix | None:
    """The matrix an aggregate asks for, if it asks for one."""
    if aggregate.measure is not Measure.SSCP:
        return None
    return Matrix(tuple(Variable(n, t) for n, t in zip(aggregate.called, aggregate.columns, strict=True)))


def matrix_in(plan: Plan) -> Matrix | None:
    """The matrix of a plan: it stands alone."""
    return matrix_of(plan.aggregates[0])
