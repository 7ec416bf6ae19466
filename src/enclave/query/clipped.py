"""How far may clipping have moved each number that leaves?

One column more, `x_clipped`, where a profile was bought: |x without noise − x without clipping| is at most that, by the
paid histograms (95 %, `profile.clipped`). It stands apart from the noise interval, which covers noise alone.

- Counts and sums: what the clip may have taken of one group; of what is never negative no more than so many times what
  was kept of it. Told as a share of a whole a group may also have been given something (`_scaled`).
- Means and moments: q = B/(N + B) is the largest share of a group's rows that was weighed away, N rows at least being
  kept; the rest is what such a share can do within the bounds of the value, R being their distance: q·R to a mean,
  1.25·q·R² to a variance (within 0.25·q·R², between q·R²), the root of that to a deviation, 1.5·q·R·R′ to a covariance.
- Entries of a matrix of products: a row adds at most 1 to each, so no more than the rows that may have been lost.
- Arithmetic on counts and sums: over the box of what each may have lost, around the numbers as they are told.
- Correlations and quantiles: not known (NULL). A quantile moves by ranks, and how far that is in values nobody paid for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import after, mechanisms, scaled
from enclave.query.draw import Draw
from enclave.query.plan import Aggregate, Measure, Plan, Term
from enclave.query.reckon import Output
from enclave.query.tally import Tally

SUFFIX = "_clipped"
MISS = Fraction(1, 20)
TOTALS = (Measure.ROWS, Measure.PERSONS, Measure.KEYS, Measure.SUM, Measure.VALUES)
VARIANCES = (Measure.VAR_POP, Measure.VAR_SAMP, Measure.STDDEV_POP, Measure.STDDEV_SAMP)
COVARIANCES = (Measure.COVAR_POP, Measure.COVAR_SAMP)
SAMPLED = (Measure.VAR_SAMP, Measure.STDDEV_SAMP, Measure.COVAR_SAMP)

Number = float | None
Column = list[Number]
Drawn = tuple[Draw, Sequence[int]]


def column(plan: Plan, output: Output, drawn: Sequence[Drawn]) -> Column:
    """`x_clipped` of one output, cell by cell; NULL where it is not known."""
    at = output.plain
    if at is None:
        return _reckoned(plan, output, drawn)
    mine = [(d, v) for d, v in drawn if d.tally.aggregate == at]
    measure = plan.aggregates[at].measure
    if measure in TOTALS:
        return _total(*mine[0]) if len(mine) == 1 else _scaled(*mine)
    if measure is Measure.MEAN or measure in VARIANCES or measure in COVARIANCES:
        return _proportion(plan.aggregates[at], mine)
    if measure is Measure.SSCP:
        (draw, totals), *_ = mine
        return [draw.tally.clipping.most if draw.tally.clipping else None] * len(totals)
    return [None] * plan.cells


def _total(draw: Draw, totals: Sequence[int]) -> Column:
    """In units of the answer."""
    tally, clipping = draw.tally, draw.tally.clipping
    if clipping is None:
        return [None] * len(totals)
    unit = float(tally.unit)
    most = clipping.most * tally.factor * WEIGHT_ONE / unit
    if not _never_negative(tally):
        return [most] * len(totals)
    radius = mechanisms.noise_radius(draw.scale, MISS)
    return [min(most, clipping.times * max(0.0, (total + radius) / unit)) for total in totals]


def _scaled(groups: Drawn, whole: Drawn) -> Column:
    """A group told as its share of the whole: scaled up it may stand too high by as much, else it lost what it lost."""
    (draw, totals), (over_all, (all_told,)) = groups, whole
    radius, unit = mechanisms.noise_radius(draw.scale, MISS / 3), float(draw.tally.unit)
    told = scaled.Scale(totals, draw.scale, all_told, over_all.scale, MISS / 3)
    made: Column = []
    for total, lost in zip(totals, _total(draw, totals), strict=True):
        most = max(total + radius, 0) / unit
        up, down = most * max(told.high - 1, 0.0), most * max(1 - told.low, 0.0)
        made.append(None if lost is None else max(up, lost + down))
    return made


def _never_negative(tally: Tally) -> bool:
    return tally.counts or (tally.term is not None and (tally.term.type.lower or 0) >= 0 and tally.centre == 0)


def _reckoned(plan: Plan, output: Output, drawn: Sequence[Drawn]) -> Column:
    first = {d.tally.aggregate: (d, v) for d, v in reversed(drawn)}
    lost = {at: _total(*first[at]) for at in output.reads}
    made: Column = []
    for cell in range(plan.cells):
        told, boxes = dict[int, after.Noisy](), dict[int, after.Noisy]()
        for at in output.reads:
            (draw, totals), far = first[at], lost[at][cell]
            if far is not None:
                number = float(totals[cell] / draw.tally.unit)
                told[at] = after.Noisy([number], 0.0, 0.0)
                boxes[at] = _box(number, far, _never_negative(draw.tally))
        made.append(_moved(output, told, boxes) if len(boxes) == len(output.reads) else None)
    return made


def _box(number: float, far: float, grows: bool) -> after.Noisy:
    """Where a number without clipping may be; of what is never negative clipping only takes."""
    return after.Noisy([number + far / 2], 0.0, far / 2) if grows else after.Noisy([number], 0.0, far)


def _moved(output: Output, told: dict[int, after.Noisy], boxes: dict[int, after.Noisy]) -> Number:
    """How far the result may lie from what is told, over the box."""
    (value,), *_ = after.columns(output.post, told, 1)
    _, _, (low,), (high,) = after.columns(output.post, boxes, 1)
    return None if value is None or low is None or high is None else max(high - value, value - low)


def _proportion(aggregate: Aggregate, mine: Sequence[Drawn]) -> Column:
    """Of a mean, a variance, a deviation or a covariance, from the noisy counts under the same weights."""
    draw, counts = next((d, v) for d, v in mine if d.tally.counts)
    clipping, term = draw.tally.clipping, aggregate.term
    if clipping is None or term is None:
        return [None] * len(counts)
    radius = mechanisms.noise_radius(draw.scale, MISS / len(mine))
    made: Column = []
    for count in counts:
        fewest, most = max(0.0, (count - radius) / WEIGHT_ONE), max(0.0, (count + radius) / WEIGHT_ONE)
        lost = min(clipping.most, clipping.times * most)
        share = lost / (fewest + lost) if lost > 0 else 0.0
        made.append(_shifted(aggregate, term, share, fewest))
    return made


def _shifted(aggregate: Aggregate, term: Term, share: float, rows: float) -> float:
    """What a share of rows can do to a number, in its units."""
    x = _range(term)
    if aggregate.measure is Measure.MEAN:
        return share * x
    y = _range(aggregate.other) if aggregate.other is not None else x
    widest = x * y / (2 if aggregate.measure in SAMPLED else 4) * (2 if aggregate.measure in COVARIANCES else 1)
    moved = (1.5 if aggregate.measure in COVARIANCES else 1.25) * share * x * y
    if aggregate.measure in SAMPLED:  # n/(n − 1) is that of the kept rows
        moved = moved * rows / (rows - 1) + share * widest / (rows - 1) if rows > 1 else widest
    moved = min(moved, widest)
    return math.sqrt(moved) if aggregate.measure in (Measure.STDDEV_POP, Measure.STDDEV_SAMP) else moved


def _range(term: Term) -> float:
    return ((term.type.upper or 0) - (term.type.lower or 0)) / term.type.scale
