"""Variance, standard deviation, covariance and correlation: which tallies, and which numbers from them?

Each is made of a weighted count, centred sums and centred products over one set of weights, every one a mechanism of its
own with its own price:

    count       n  = Σw                         sensitivity C
    sums        x  = Σw(x − mid)                sensitivity h·C, h the larger half of the bounds
    products    xy = Σw·((x−mid)(y−mid) − m)    sensitivity ⌈range/2⌉·C: the product is counted from the middle m of what
                                                it can be, so a square of at most h² moves no total by more than h²/2

A product's total is divided, once and at the end, so that its range has at most 2¹⁸ levels: 2²⁸ rows of full weight then
fit int64. Rounding moves each cell of a person by at most one more, and the sensitivity (l2, in pure ε l1) says so. What
leaves is post-processing of the noisy totals: clamped to what the public bounds allow; `_se` by moving each total by one
standard deviation of its noise; `_low` and `_high` from the box of the totals' intervals, each given its share of the miss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.errors import Refused
from enclave.query.plan import WIDEST, Aggregate, Measure, Term
from enclave.query.tally import Norm, Product, Style, Tally, centre_of

LEVELS = 2**18
"""Times weight 2¹⁶ times 2²⁸ rows: under 2⁶³ with a bit to spare."""

OF_ONE = (Measure.VAR_POP, Measure.VAR_SAMP, Measure.STDDEV_POP, Measure.STDDEV_SAMP)
OF_TWO = (Measure.COVAR_POP, Measure.COVAR_SAMP, Measure.CORR)
MOMENTS = (*OF_ONE, *OF_TWO)
SAMPLED = (Measure.VAR_SAMP, Measure.STDDEV_SAMP, Measure.COVAR_SAMP)
ROOTED = (Measure.STDDEV_POP, Measure.STDDEV_SAMP)

Span = tuple[float, float]
Number = float | None
Totals = Mapping[str, float]


# --- tallies --------------------------------------------------------------------------------------------------------


def tallies_of(at: int, aggregate: Aggregate, norm: Norm, cells: int, *, pure: bool = False) -> Iterator[Tally]:
    """Count, sums and products of one aggregate, under one norm of row counts. A pair with a NULL is no pair."""
    ones = cells if pure else math.isqrt(cells) + 1  # how long 1 in each cell is, in l1 or l2
    known = tuple(dict.fromkeys(t for t in _terms(aggregate) if t.type.nullable)) if aggregate.other else ()
    for tally in _all_of(at, aggregate, norm, ones):
        yield replace(tally, known=known)


def _all_of(at: int, aggregate: Aggregate, norm: Norm, ones: int) -> Iterator[Tally]:
    x, y = _terms(aggregate)
    yield Tally(at, Style.ROWS, norm, x, part="n")
    yield _sum(at, norm, x, "x")
    if aggregate.measure in OF_ONE:
        yield _product(at, norm, x, x, "xx", ones)
        return
    yield _sum(at, norm, y, "y")
    yield _product(at, norm, x, y, "xy", ones)
    if aggregate.measure is Measure.CORR:
        yield _product(at, norm, x, x, "xx", ones)
        yield _product(at, norm, y, y, "yy", ones)


def _terms(aggregate: Aggregate) -> tuple[Term, Term]:
    if aggregate.term is None:
        raise ValueError("a moment has a term")
    return aggregate.term, aggregate.other or aggregate.term


def half_of(term: Term) -> int:
    """The farthest a stored value may be from its centre."""
    centre = centre_of(term)
    return max((term.type.upper or 0) - centre, centre - (term.type.lower or 0), 1)


def _clamp(term: Term) -> tuple[int, int]:
    return term.type.lower or 0, term.type.upper or 0


def _sum(at: int, norm: Norm, term: Term, part: str) -> Tally:
    return Tally(
        at,
        Style.ROWS,
        norm,
        term,
        counts=False,
        centre=centre_of(term),
        clamp=_clamp(term),
        factor=half_of(term),
        part=part,
    )


def _product(at: int, norm: Norm, x: Term, y: Term, part: str, ones: int) -> Tally:
    most = half_of(x) * half_of(y)
    least = 0 if x == y else -most
    if max(most, x.type.reach * y.type.reach) > WIDEST // 4:
        raise Refused("query.too_wide", limit="2^60")
    middle, grain = (most + least) // 2, -(-(most - least) // LEVELS)
    farthest = max(most - middle, middle - least, 1)
    slack = 0 if grain == 1 else ones
    product = Product(y, centre_of(y), _clamp(y), middle, grain, slack)
    return Tally(
        at,
        Style.ROWS,
        norm,
        x,
        counts=False,
        centre=centre_of(x),
        clamp=_clamp(x),
        factor=-(-farthest // grain),
        part=part,
        product=product,
    )


# --- numbers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noised:
    """One tally with its noisy totals, the standard deviation of the noise and its radius."""

    tally: Tally
    totals: list[int]
    deviation: float
    radius: int


Columns = tuple[list[Number], list[Number], list[Number], list[Number]]


def columns(aggregate: Aggregate, drawn: Sequence[Noised]) -> Columns:
    """value, _se, _low, _high over all cells."""
    parts = {d.tally.part: d for d in drawn}
    shape = _Shape(aggregate, {name: d.tally for name, d in parts.items()})
    made: Columns = ([], [], [], [])
    for cell in range(len(drawn[0].totals)):
        totals = {name: float(d.totals[cell]) for name, d in parts.items()}
        point = shape.point(totals)
        low, high = shape.box({name: (totals[name] - d.radius, totals[name] + d.radius) for name, d in parts.items()})
        error = _spread(shape.point, totals, {name: d.deviation for name, d in parts.items()}, shape.limits)
        for into, number in zip(made, (point, None if point is None else error, low, high), strict=True):
            into.append(None if number is None else number / shape.unit)
    return made


def _spread(point: Callable[[Totals], Number], totals: Totals, noise: Mapping[str, float], limits: Span) -> float:
    """The standard deviation that noise of these deviations gives the number; half its range where it has no value."""
    square = 0.0
    for name, deviation in noise.items():
        up, down = (point({**totals, name: totals[name] + step}) for step in (deviation, -deviation))
        if up is None or down is None:
            return (limits[1] - limits[0]) / 2
        square += ((up - down) / 2) ** 2
    return math.sqrt(square)


class _Shape:
    """One aggregate's formula, in stored integers, and the same over intervals."""

    def __init__(self, aggregate: Aggregate, tallies: Mapping[str, Tally]) -> None:
        self.measure = aggregate.measure
        self.tallies = tallies
        x, y = _terms(aggregate)
        self.halves = {"x": half_of(x), "y": half_of(y)}
        self.unit = 1.0 if self.measure is Measure.CORR else float(x.type.scale)
        if self.measure in OF_TWO and self.measure is not Measure.CORR:
            self.unit *= y.type.scale
        elif self.measure in (Measure.VAR_POP, Measure.VAR_SAMP):
            self.unit *= x.type.scale
        self.limits = self._limits((x.type.upper or 0) - (x.type.lower or 0), (y.type.upper or 0) - (y.type.lower or 0))

    def _limits(self, x: int, y: int) -> Span:
        """What the number can be at all: a variance of values in a range is at most a quarter of its square, of two
        sampled rows at most half."""
        if self.measure is Measure.CORR:
            return -1.0, 1.0
        most = x * (x if self.measure in OF_ONE else y) / (2 if self.measure in SAMPLED else 4)
        if self.measure in ROOTED:
            return 0.0, math.sqrt(most)
        return (0.0 if self.measure in OF_ONE else -most), most

    def _clamped(self, number: float) -> float:
        return min(max(number, self.limits[0]), self.limits[1])

    def _second(self, part: str, per_row: float) -> float:
        """E[product] from the average total; never outside what a product can be."""
        product = self.tallies[part].product
        if product is None:
            raise ValueError("not a product")
        most = self.halves[part[0]] * self.halves[part[1]]
        least = 0 if part[0] == part[1] else -most
        return min(max(product.middle + product.grain * per_row, least), most)

    def point(self, totals: Totals) -> Number:
        n = totals["n"]
        rows = n / WEIGHT_ONE
        if rows <= (1 if self.measure in SAMPLED else 0):
            return None

        def central(part: str) -> float:
            one, other = part[0], part[1]
            return self._second(part, totals[part] / n) - totals[one] / n * totals[other] / n

        if self.measure is Measure.CORR:
            spread = central("xx") * central("yy") if min(central("xx"), central("yy")) > 0 else 0.0
            return self._clamped(central("xy") / math.sqrt(spread)) if spread > 0 else None
        number = central("xx" if self.measure in OF_ONE else "xy")
        if self.measure in SAMPLED:
            number *= rows / (rows - 1)
        return self._clamped(math.sqrt(max(number, 0.0)) if self.measure in ROOTED else number)

    def box(self, spans: Mapping[str, Span]) -> Span:
        n = spans["n"]
        fewest, most = n[0] / WEIGHT_ONE, n[1] / WEIGHT_ONE
        if fewest <= (1 if self.measure in SAMPLED else 0):
            return self.limits
        if self.measure is Measure.CORR:
            return self._correlations(spans)
        low, high = self._central("xx" if self.measure in OF_ONE else "xy", spans)
        if self.measure in SAMPLED:
            larger, smaller = fewest / (fewest - 1), most / (most - 1)
            low, high = low * (smaller if low > 0 else larger), high * (larger if high > 0 else smaller)
        if self.measure in ROOTED:
            low, high = math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0))
        return self._clamped(low), self._clamped(high)

    def _central(self, part: str, spans: Mapping[str, Span]) -> Span:
        one, other = part[0], part[1]
        second = tuple(self._second(part, e) for e in quotient(spans[part], spans["n"]))
        first = times(self._mean(one, spans), self._mean(other, spans), same=one == other)
        return second[0] - first[1], second[1] - first[0]

    def _mean(self, part: str, spans: Mapping[str, Span]) -> Span:
        low, high = quotient(spans[part], spans["n"])
        half = self.halves[part]
        return min(max(low, -half), half), min(max(high, -half), half)

    def _correlations(self, spans: Mapping[str, Span]) -> Span:
        xx, yy, xy = (self._central(part, spans) for part in ("xx", "yy", "xy"))
        if xx[0] <= 0 or yy[0] <= 0:
            return self.limits
        narrow, wide = math.sqrt(xx[0] * yy[0]), math.sqrt(xx[1] * yy[1])
        low = xy[0] / (wide if xy[0] > 0 else narrow)
        return self._clamped(low), self._clamped(xy[1] / (narrow if xy[1] > 0 else wide))


def quotient(total: Span, count: Span) -> Span:
    """Where total / count may be, for a count that is surely positive."""
    fewest, most = count
    least, greatest = total
    return least / (fewest if least < 0 else most), greatest / (fewest if greatest > 0 else most)


def times(one: Span, other: Span, *, same: bool) -> Span:
    """Where the product of two numbers may be; of a number with itself it is no less than 0."""
    ends = [a * b for a in one for b in other]
    if same:
        straddles = one[0] <= 0 <= one[1]
        return (0.0 if straddles else min(one[0] ** 2, one[1] ** 2)), max(ends)
    return min(ends), max(ends)
