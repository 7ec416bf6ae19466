"""How are groups told under a small clip, without telling them too small?

What clipping takes is much the same share of every group: heavy users go everywhere. So a count by groups is told in two
numbers where that is estimated to err less (`advised.advised`): the groups under a small clip, whose noise is small, and
once, over all groups together, the whole under a large clip, whose one noise is small beside so large a number. The answer
is each group's share of the groups, times the whole:

    x_g = y_g · T / Y,    Y = Σ y_g

Both are ordinary tallies under an *l1* norm (`unit_rows`, or the person's Σ|x|). For the whole it must be one, since a
person's rows fall into several groups and are added up. For the groups the norm of a facet would do and be tighter; but
it takes more from who always goes to one department than from who comes as often and goes to several, and so more from
some departments than from others. Under the l1 norm all rows of one who comes so often weigh alike, wherever they fall.
Four fifths of the price are for the groups. x_g is post-processing.

The interval is the box of three (y_g, T, Y), each missing its third: what the same totals would have told without noise lies
in it at least as often as is said. Where Y cannot be told from nothing the groups stand as they were drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from enclave.query import mechanisms
from enclave.query.plan import Measure, Plan
from enclave.query.tally import EXACT_ROWS, Norm, Side, Style, Tally
from enclave.query.width import saturated

SHARES, WHOLE = "shares", "whole"
"""The parts of such an aggregate."""

PARTS_OF_PRICE = {SHARES: 8, WHOLE: 2}
ALONE = 10
"""Of ten parts of the price of one aggregate."""

CHOICES = {Side.POINT: 18, Side.LOW: 6, Side.HIGH: 6}
"""Of the thirty of a quantile by choice: the number is what was asked, the ends of its interval may be a little farther."""

PURE_CHOICES = {Side.POINT: 16, Side.LOW: 7, Side.HIGH: 7}
"""The same in pure ε, where a third of the price is three times the noise, not √3 times."""

LEAST_CELLS = 3
ROWS = "unit_rows"

Column = list[float | None]


def paired(plan: Plan, moved: Sequence[Tally]) -> tuple[Tally, ...]:
    """The tallies, each that can be told so in its two parts."""
    made: list[Tally] = []
    for tally in moved:
        if not _can(plan, tally):
            made.append(tally)
            continue
        even = replace(tally, norm=_over_all(plan, tally.norm))
        made += [replace(even, part=SHARES), replace(even, part=WHOLE)]
    return tuple(made)


def _can(plan: Plan, tally: Tally) -> bool:
    """Counts and sums of what is never negative, by keys, under a stored norm, shown as they are."""
    if plan.cells < LEAST_CELLS or (plan.exact and not plan.apart) or plan.reckoned or plan.root.one_row_per_person:
        return False
    if plan.aggregates[tally.aggregate].measure not in (Measure.ROWS, Measure.SUM) or tally.part:
        return False
    never_negative = tally.counts or (tally.term is not None and (tally.term.type.lower or 0) >= 0)
    plainly = not (tally.known or tally.is_numbered or tally.product or tally.centre)
    weighed = tally.style in (Style.ROWS, Style.EXACT) and tally.norm.column is not None
    return weighed and never_negative and plainly


def _over_all(plan: Plan, norm: Norm) -> Norm:
    """An l1 norm: what somebody's rows come to when all groups are added up."""
    if plan.apart:
        return Norm(EXACT_ROWS, plan.root.row_clip)
    stored = plan.root.columns if plan.sources[0].made is None else ()
    totals = {column.total_norm for column in stored if column.total_clip is not None}
    return norm if norm.column == ROWS or norm.column in totals else Norm(ROWS, plan.root.row_clip)


def shares(moved: Sequence[Tally], price: int, choices: Mapping[Side, int] = CHOICES) -> tuple[int, ...]:
    """What each tally may cost of `price`: aggregates alike, of one told in two parts each its part."""
    alone = sum(tally.part != WHOLE for tally in moved)
    parts = (PARTS_OF_PRICE.get(t.part, ALONE) if t.side is None else choices[t.side] for t in moved)
    return tuple(price * part // (ALONE * max(alone, 1)) for part in parts)


def summed(totals: Sequence[int]) -> list[int]:
    """All cells together, saturated: what noise is drawn for."""
    return [saturated(sum(totals))]


class Scale:
    """T / Y as drawn, and between what it lies. `miss`: how often each of the three may lie outside."""

    def __init__(self, groups: Sequence[int], scale: int, whole: int, whole_scale: int, miss: Fraction) -> None:
        spread = math.isqrt(scale * scale * len(groups)) + 1  # of a sum of so many draws
        self.together, self.whole = sum(groups), max(whole, 0)
        self.spread, self.whole_spread = spread, whole_scale
        far, whole_far = mechanisms.noise_radius(spread, miss), mechanisms.noise_radius(whole_scale, miss)
        self.known = self.together > far
        self.factor = self.whole / self.together if self.known else 1.0
        self.low = max(whole - whole_far, 0) / (self.together + far) if self.known else 1.0
        self.high = max(whole + whole_far, 0) / (self.together - far) if self.known else 1.0

    def error(self, group: int, scale: int) -> float:
        """The standard deviation of the noise of one group, to first order; that Y holds y_g makes it a little less."""
        if not self.known:
            return float(scale)
        beside = math.hypot(self.whole_spread / self.together, self.factor * self.spread / self.together)
        return math.hypot(self.factor * scale, group * beside)


def columns(
    groups: Sequence[int], scale: int, whole: Sequence[int], whole_scale: int, unit: Fraction, miss: Fraction
) -> tuple[Column, Column, Column, Column]:
    """x, x_se, x_low, x_high of every cell."""
    told = Scale(groups, scale, whole[0], whole_scale, miss / 3)
    radius, one = mechanisms.noise_radius(scale, miss / 3), float(unit)

    def end(stored: int, for_less: float, for_more: float) -> float:
        return stored * (for_less if stored < 0 else for_more) / one

    return (
        [y * told.factor / one for y in groups],
        [told.error(y, scale) / one for y in groups],
        [end(y - radius, told.high, told.low) for y in groups],
        [end(y + radius, told.low, told.high) for y in groups],
    )
