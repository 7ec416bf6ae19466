"""Quantiles: which mechanisms, and which numbers from what they give?

A quantile q = a/b of a bounded term, by groups, over public bins of its bounds: whole values where they are few, else
equal widths. F(v) is the weight of the rows up to bin v, N the weight of all, both over the weights of one count norm.

- **One quantile of a term** is chosen by three draws of the exponential mechanism (in pure ε of permute-and-flip), each a
  mechanism of its own: the number, and the two ends of its noise interval. The score of bin v is minus the distance from
  a·N + s to [b·F(v−1), b·F(v)], in whole numbers. One row of weight w moves it by at most max(a, b−a)·w, in either
  direction. Over groups the distances compose as their squares, in pure ε as they are: one price under an l2 norm, there
  under an l1 norm (`docs/privacy/quantiles.md`).
- **Several quantiles of one term** are read off one noisy histogram, a finer grouping, paid once.

Which of the two is a matter of the text alone. The ends: the shift s lies as far below (above) the rank as a draw may
err at its share of the miss, and an end beyond every bin stands for the bound of the term.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from statistics import NormalDist

from enclave.query import mechanisms
from enclave.query.plan import Aggregate, Measure, Plan, Term
from enclave.query.tally import Bins, Norm, Side, Style, Tally
from enclave.query.width import INT64

MOST_CHOICES = 2_048
MOST_BINS = 256
MOST_POINTS = 10_000
"""Bins of one quantile by choice, of one histogram, and of all groups together."""

MISS = Fraction(1, 20)
NORMAL = NormalDist().inv_cdf(1 - float(MISS) / 2)

Columns = tuple[list[float | None], list[float | None], list[float | None], list[float | None]]


@dataclass(frozen=True)
class Drawn:
    """One tally, the scale of its noise, and what came of it: a noisy histogram, or the number of a bin per cell."""

    tally: Tally
    scale: int
    values: list[int]
    pure: bool = False
    """Its noise is Laplace."""


# --- tallies --------------------------------------------------------------------------------------------------------


def tallies_of(plan: Plan, at: int, norm: Norm) -> tuple[Tally, ...]:
    """Three choices for a quantile that stands alone; one histogram for the first of several, nothing for the others."""
    aggregate, mates = plan.aggregates[at], _mates(plan, at)
    if aggregate.term is None or aggregate.point is None:
        raise ValueError("a quantile has a term and a point")
    if len(mates) > 1:
        bins = bins_of(aggregate.term, MOST_BINS, plan.cells)
        return (Tally(at, Style.ROWS, norm, bins=bins, part="histogram"),) if at == mates[0] else ()
    bins = bins_of(aggregate.term, MOST_CHOICES, plan.cells)
    a, b = aggregate.point.as_integer_ratio()
    return tuple(
        Tally(at, Style.ROWS, norm, factor=max(a, b - a), bins=bins, part=side.name.lower(), side=side) for side in Side
    )


def _mates(plan: Plan, at: int) -> list[int]:
    """The quantiles of the question that share this one's term."""
    wanted = plan.aggregates[at].term
    return [i for i, a in enumerate(plan.aggregates) if a.measure is Measure.QUANTILE and a.term == wanted]


def points_of(plan: Plan, tally: Tally) -> list[Fraction]:
    """The quantiles that are told by this tally."""
    one = plan.aggregates[tally.aggregate]
    told = [one] if tally.side is not None else [plan.aggregates[at] for at in _mates(plan, tally.aggregate)]
    return [a.point for a in told if a.point is not None]


def source_of(plan: Plan, at: int) -> int:
    """The aggregate whose draws hold the numbers of this one."""
    mates = _mates(plan, at)
    return mates[0] if len(mates) > 1 else at


def bins_of(term: Term, most: int, cells: int) -> Bins:
    """Whole values of the term where they are few enough, else equal widths of them."""
    lower, upper = term.type.lower or 0, term.type.upper or 0
    most = max(2, min(most, MOST_POINTS // cells))
    width = -(-(upper - lower + 1) // most)
    return Bins(term, lower, upper, width)


# --- the exponential mechanism --------------------------------------------------------------------------------------


def choose(
    tally: Tally,
    point: Fraction,
    totals: Sequence[int],
    scale: int,
    mechanism: Callable[[list[int], int], int] = mechanisms.chosen,
) -> list[int]:
    """For each cell the number of the bin the mechanism chose: −1 and the number of bins stand for the bounds."""
    bins, side = tally.bins, tally.side
    if bins is None or side is None:
        raise ValueError("not a choice")
    shift = 0 if side is Side.POINT else side.value * (shift_of(scale, bins.count) + 1)
    chosen = []
    for start in range(0, len(totals), bins.count):
        found = scores(totals[start : start + bins.count], point, shift, ends=side is not Side.POINT)
        chosen.append(mechanism(found, scale) - (side is not Side.POINT))
    return chosen


def shift_of(scale: int, bins: int) -> int:
    """How far below the best score one draw may fall, of either mechanism: more with a chance of at most half the miss."""
    return math.ceil(scale * math.log((bins + 2) * 2 / float(MISS)) * (1 + 1e-9))


def scores(weights: Sequence[int], point: Fraction, shift: int = 0, *, ends: bool = False) -> list[int]:
    """−max(0, T − b·F(v), b·F(v−1) − T) with T = a·N + shift, for every bin; `ends` adds one before and one after."""
    a, b = point.as_integer_ratio()
    sums = [0, *accumulate(weights)]
    target = a * sums[-1] + shift
    found = [-max(0, target - b * to, b * before - target) for before, to in pairwise(sums)]
    if ends:
        found = [-max(0, target), *found, -max(0, b * sums[-1] - target)]
    return [max(s, -INT64) for s in found]


# --- numbers --------------------------------------------------------------------------------------------------------


def columns(aggregate: Aggregate, drawn: Sequence[Drawn]) -> Columns:
    """value, _se, _low, _high over all cells."""
    if aggregate.term is None or aggregate.point is None or drawn[0].tally.bins is None:
        raise ValueError("a quantile has a term, a point and bins")
    bins, unit = drawn[0].tally.bins, aggregate.term.type.scale
    made: Columns = ([], [], [], [])
    if drawn[0].tally.side is None:
        (one,) = drawn
        cells = [one.values[i : i + bins.count] for i in range(0, len(one.values), bins.count)]
        radius = radii(one.scale, aggregate.point, bins, pure=one.pure)
        found = [read_off(cell, aggregate.point, bins, radius) for cell in cells]
    else:
        low, point, high = (next(d.values for d in drawn if d.tally.side is s) for s in Side)
        found = [
            (bins.middle(p), bins.lowest(min(e, p)), bins.highest(max(f, p)))
            for e, p, f in zip(low, point, high, strict=True)
        ]
    for number, least, most in found:
        error = (most - least) / (2 * NORMAL)
        for into, stored in zip(made, (number, error, least, most), strict=True):
            into.append(stored / unit)
    return made


def read_off(noisy: Sequence[int], point: Fraction, bins: Bins, radius: Sequence[int]) -> tuple[float, int, int]:
    """The quantile of a noisy histogram and its interval, in stored integers.

    D(v) = b·F(v) − a·N crosses 0 at the quantile. At the true bin alone the noise must not exceed its radius for the
    interval to hold, whatever the other bins do.
    """
    a, b = point.as_integer_ratio()
    sums = [0, *accumulate(noisy)]
    crossing = [b * s - a * sums[-1] for s in sums]
    last = bins.count - 1
    low = next((v for v in range(bins.count) if crossing[v + 1] + radius[v + 1] >= 0), last)
    high = next((v for v in range(last, 0, -1) if crossing[v] - radius[v] < 0), 0)
    rising = _never_falling([float(c) for c in crossing])
    at = next((v for v in range(bins.count) if rising[v + 1] >= 0), last)
    number = bins.middle(at)
    before, after = rising[at], rising[at + 1]
    if bins.width > 1 and before < 0 <= after:
        number = min(bins.lower + (at - before / (after - before)) * bins.width, float(bins.upper))
    return number, bins.lowest(min(low, at)), bins.highest(max(high, at))


def radii(scale: int, point: Fraction, bins: Bins, *, pure: bool) -> list[int]:
    """How far the noise of D(v) reaches, for v = 0 to the number of bins: v draws count b − a times, the others a times."""
    a, b = point.as_integer_ratio()
    weights = [[(b - a, v), (a, bins.count - v)] for v in range(bins.count + 1)]
    if pure:
        return [mechanisms.laplace_sum_radius(scale, both, MISS) for both in weights]
    squares = [sum(w * w * count for w, count in both) for both in weights]
    return [mechanisms.noise_radius(math.isqrt(scale * scale * s) + 1, MISS) for s in squares]


def _never_falling(values: list[float]) -> list[float]:
    """The nearest sequence that never falls: neighbours that fall are averaged (isotonic regression)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, n), (other, m) = blocks[-2:]
            blocks[-2:] = [((one * n + other * m) / (n + m), n + m)]
    return [mean for mean, many in blocks for _ in range(many)]
