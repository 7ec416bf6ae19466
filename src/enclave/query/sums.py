"""What must be added up over rows for a tally, and how do its totals come of that?

Every tally is made of a few plain sums over rows, Σw, Σw·x and Σw·x·y, each found once however many tallies need it. The
rest (centres, clamps of values that stand among the groups, middles) is whole arithmetic in HUGEINT on one row for each
group. A product's total is divided by its grain at the very end, once for each cell.

A column that is added row by row stands as it rests, in its narrow type: that its values lie within the dictionary's
bounds is checked of every finished extract (`intake.reverify`), so a clamp would change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.groups import Groups
from enclave.query.plan import Op, Sort, Term
from enclave.query.tally import Norm, Product, Tally
from enclave.query.width import INT64
from enclave.query.written import column, number, value


class Summed(Protocol):
    """One sum over rows, under the weight of one norm."""

    @property
    def norm(self) -> Norm: ...

    def plain(self) -> str:
        """Where every row weighs one."""

    def weighed(self, weight: str, *, wide: bool = False) -> str:
        """`weight` is a whole number of at most 65536, or beyond (`wide`)."""


@dataclass(frozen=True)
class Sum:
    """Σw over the rows where `known` has a value, or Σw·Π(factors): NULL where a factor is. w is the weight of `norm`."""

    norm: Norm
    factors: tuple[Term, ...] = ()
    known: Term | None = None

    def plain(self) -> str:
        if self.factors:
            return f"sum({self._product()})"
        return "count(*)" if self.known is None else f"count({_bare(self.known)})"

    def weighed(self, weight: str, *, wide: bool = False) -> str:
        if not self.factors:
            return (
                f"sum(CASE WHEN {_bare(self.known)} IS NOT NULL THEN {weight} END)" if self.known else f"sum({weight})"
            )
        reach = WEIGHT_ONE
        for factor in self.factors:
            reach *= max(factor.type.reach, 1)
        kind = "HUGEINT" if wide or reach > INT64 else "BIGINT"
        return f"sum(CAST({weight} AS {kind}) * {self._product()})"

    def of_row(self) -> str | None:
        """What one row adds; None where that is one, whatever it holds."""
        if self.factors:
            return self._product()
        return None if self.known is None else f"CASE WHEN {_bare(self.known)} IS NOT NULL THEN 1 END"

    def _product(self) -> str:
        if len(self.factors) == 1:
            return _bare(self.factors[0])
        return "(" + " * ".join(f"CAST({_bare(f)} AS BIGINT)" for f in self.factors) + ")"


class Sums:
    """The sums of several tallies over the same groups, in the order in which they were first needed."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self._names: dict[Sum, str] = {}

    @property
    def named(self) -> dict[str, Sum]:
        return {name: wanted for wanted, name in self._names.items()}

    def total(self, tally: Tally, *, added: bool = False) -> str:
        """The tally's total over all groups of a cell, or of the only one (`added`)."""
        summed = f"({self._of(tally)})" if added else f"sum({self._of(tally)})"
        grain = tally.product.grain if tally.product else 1
        return summed if grain == 1 else f"{summed} // {grain}::HUGEINT"

    def _of(self, tally: Tally) -> str:
        """What one group adds."""
        if tally.counts or tally.term is None:
            return self._count(tally.norm, tally.term)
        if tally.product:
            return self._product(tally.norm, tally.term, tally.centre, tally.product, tally)
        over = self.groups.over(tally.term)
        if over is not None:
            return f"{self._sum(tally.norm)} * ({value(tally, over)})"
        return self._centred(tally.norm, (tally.term,), tally.term, tally.centre)

    def _sum(self, norm: Norm, *factors: Term, known: Term | None = None) -> str:
        wanted = Sum(norm, factors, known)
        return self._names.setdefault(wanted, f"p{len(self._names)}")

    def _count(self, norm: Norm, term: Term | None) -> str:
        """Σw where the term has a value."""
        if term is None or not term.type.nullable:
            return self._sum(norm)
        over = self.groups.over(term)
        if over is not None:
            return f"CASE WHEN {number(over)} IS NOT NULL THEN {self._sum(norm)} END"
        return self._sum(norm, known=term)

    def _centred(self, norm: Norm, factors: tuple[Term, ...], term: Term, centre: int) -> str:
        """Σw·(x − centre)."""
        found = self._sum(norm, *factors)
        return f"({found}{_times(-centre, self._count(norm, term))})" if centre else found

    def _product(self, norm: Norm, x: Term, centre: int, product: Product, tally: Tally) -> str:
        """Σw·((x − c)(y − c′) − middle), over rows where both have a value."""
        y, other, middle = product.other, product.centre, product.middle
        over, beside = self.groups.over(x), self.groups.over(y)
        if over is not None and beside is not None:
            return f"{self._sum(norm)} * ({value(tally, over, beside)})"
        if over is None and beside is not None:
            x, y, centre, other, over = y, x, other, centre, beside
        if over is not None:
            known = self._count(norm, y)
            factor = f"({number(over)}{_plus(-centre)})"
            return f"({self._centred(norm, (y,), y, other)} * {factor}{_times(-middle, known)})"
        found, known = self._sum(norm, x, y), self._count(norm, x)
        found += _times(-other, self._sum(norm, x)) + _times(-centre, self._sum(norm, y))
        return f"({found}{_times(centre * other - middle, known)})"


def _bare(term: Term | None) -> str:
    """A stored number as it rests; any other term as in arithmetic."""
    if term is None:
        raise ValueError("a term is wanted")
    return column(term) if term.op is Op.COLUMN and term.type.sort is Sort.NUMBER else number(term)


def _plus(number: int) -> str:
    return f" + {number}" if number > 0 else f" - {-number}" if number < 0 else ""


def _times(number: int, name: str) -> str:
    """Plus `number` times `name`, which is a HUGEINT; `number` may leave int64."""
    return f"{' + ' if number > 0 else ' - '}{abs(number)}::HUGEINT * {name}" if number else ""
