"""Which noise keeps a quantile within an accuracy, as far as what was paid tells?

A choice, or what is read off a histogram, errs by ranks; whoever asks by accuracy says how far in values. Between the two
stands how closely the values lie, which the paid histogram of the variable tells: F, of a bare column of the root, as all
persons of the table have it, each spread evenly over their rows. N are the rows of a group of average size, as for a mean.

- **By choice** bin v is taken with a probability in proportion to exp(−b·N·d(v)/scale), d(v) its distance from q in F; the
  scale is the largest at which all bins that lie too far have no more than the miss together. Permute-and-flip errs less.
- **Off a histogram** D must not cross 0 too far away: its noise, every bin counted by the larger weight, reaches no
  further than b·N·min(F(x + a) − q, q − F(x − a)), on the emptier side of the quantile x; of several, the emptiest.

It is an estimate: groups differ, filters bend what they let through, and shares of persons are not shares of rows. So
quantiles a twentieth of all rows to either side must be near enough too. From plan, price and paid histograms alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.catalogue.profile import Histogram, Of, Profile
from enclave.profile import is_hardly_known, stretches
from enclave.query import mechanisms, quantiles
from enclave.query.plan import Op, Plan, Term
from enclave.query.tally import Bins, Tally

APART = (-0.05, 0.0, 0.05)
"""Where the quantile may stand in a group, in shares of all rows."""

STEPS = 64
MOST = 70 * STEPS
"""Scales are tried in so many steps to a doubling; none is as large as the last."""

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True)
class Lying:
    """How the values of a variable lie: F at the edges of the paid bins, straight between them, and which share of the
    rows has a value."""

    edges: Numbers
    shares: Numbers
    known: float

    def below(self, values: Numbers) -> Numbers:
        return np.interp(values, self.edges, self.shares)

    def quantile(self, point: float) -> float:
        return float(np.interp(min(max(point, 0.0), 1.0), self.shares, self.edges))


def told_by(plan: Plan, term: Term | None, profile: Profile) -> Lying | None:
    """Of a bare column of the root whose histogram was bought; None where nothing bought tells how its values lie."""
    if plan.exact or plan.sources[0].made is not None or term is None or term.op is not Op.COLUMN:
        return None
    if term.ref is None or term.ref.source != 0:
        return None
    found = profile.of(plan.root.name, term.ref.column.name)
    if found is None or found.of is not Of.VARIABLE or not found.edges or is_hardly_known(found):
        return None
    return _lying(found, stretches(term.ref.column, found.edges))


def _lying(found: Histogram, spans: tuple[tuple[int, int], ...]) -> Lying:
    told = [max(persons, 0.0) for persons in found.persons]
    whole = sum(told[:-1])
    edges = np.array([spans[0][0], *(high + 1 for _, high in spans)], dtype=np.float64)
    return Lying(edges, np.cumsum([0.0, *told[:-1]]) / whole, whole / sum(told))


def widest(plan: Plan, tally: Tally, within: Fraction, miss: Fraction, rows: float, profile: Profile) -> int:
    """The largest scale that keeps every quantile of this tally within the accuracy in all but `miss` of the draws; 0 where
    none does, beyond every scale where any does."""
    term, bins = plan.aggregates[tally.aggregate].term, tally.bins
    lying = told_by(plan, term, profile)
    if lying is None or term is None or bins is None:
        raise ValueError("nothing bought tells how these values lie")
    far, found = float(within * term.type.scale), []
    for point in quantiles.points_of(plan, tally):
        unit = rows * lying.known * point.denominator * WEIGHT_ONE  # all rows, as scores count them
        places = [min(max(float(point) + apart, 0.0), 1.0) for apart in APART]
        if tally.side is not None:
            found += [_of_choice(lying, bins, at, far, unit, float(miss)) for at in places]
        else:
            limit = unit * min(_clear(lying, bins, at, far) for at in places)
            found.append(_of_histogram(bins, point, limit, miss, pure=plan.pure))
    return min(found)


def _of_histogram(bins: Bins, point: Fraction, limit: float, miss: Fraction, *, pure: bool) -> int:
    """Whose D errs by no more than `limit`."""
    most = max(point.numerator, point.denominator - point.numerator)

    def fits(scale: int) -> bool:
        if pure:
            return mechanisms.laplace_sum_radius(scale, [(most, bins.count)], miss) <= limit
        return mechanisms.noise_radius(math.isqrt(scale * scale * most * most * bins.count) + 1, miss) <= limit

    return _largest(fits)


def _largest(fits: Callable[[int], bool]) -> int:
    """Of the steps of scales the last that fits, which is like those before it; 0 when none does."""
    low, high = -1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(_step(middle)) else (low, middle)
    return _step(low) if low >= 0 else 0


def _step(at: int) -> int:
    return int(2 ** (at / STEPS))


def _of_choice(lying: Lying, bins: Bins, point: float, far: float, unit: float, miss: float) -> int:
    edges = bins.lower + bins.width * np.arange(bins.count + 1, dtype=np.float64)
    below = lying.below(edges)
    gaps = unit * np.maximum(0.0, np.maximum(point - below[1:], below[:-1] - point))
    middles = np.array([bins.middle(v) for v in range(bins.count)])
    too_far = np.abs(middles - _stands(lying, bins, point)) > far

    def fits(scale: int) -> bool:
        likely = np.exp(-(gaps - gaps.min()) / scale)
        return float(likely[too_far].sum()) <= miss * float(likely.sum())

    return _largest(fits)


def _stands(lying: Lying, bins: Bins, point: float) -> float:
    """The quantile; one of whole values where bins are whole values."""
    at = lying.quantile(point)
    return min(float(math.floor(at)), float(bins.upper)) if bins.width == 1 else at


def _clear(lying: Lying, bins: Bins, point: float, far: float) -> float:
    """The share of the rows between a quantile and what is too far, on its emptier side."""
    at = _stands(lying, bins, point)
    if bins.width == 1:
        least, most = at - math.floor(far), at + math.floor(far) + 1
    else:
        near = far - bins.width / 2  # a number is told to within half a bin
        if near <= 0:
            return 0.0
        least, most = at - near, at + near
    below = lying.below(np.array([least, most]))
    down = point - float(below[0]) if least > bins.lower else math.inf
    up = float(below[1]) - point if most <= bins.upper else math.inf
    return max(min(down, up), 0.0)
