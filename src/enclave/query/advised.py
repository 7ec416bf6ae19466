"""Which clip does each tally of a question get, and what may clipping take from it?

The tallies of one aggregate share a clip: a mean's sum and count have one set of weights. Other aggregates have their own,
where that costs no further scan. Where the norm was profiled the advisor chooses (`profile.advisor`); where it was not,
or is too faint to say anything, the policy's clip stays. From plan, price and paid histograms alone: no connection can be
reached from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.catalogue.profile import Histogram, Profile
from enclave.profile import Aim, Clipping, Curve, Goal, chosen, clipping, curve_of, curve_of_some, sufficient
from enclave.profile.clipped import NOTHING
from enclave.query import scaled
from enclave.query.plan import Measure, Op, Plan
from enclave.query.selected import share_of
from enclave.query.sscp import ONE
from enclave.query.tally import Norm, Style, Tally

TOTALS = (Measure.ROWS, Measure.PERSONS, Measure.SUM)
ADVISED = (Style.ROWS, Style.FLAGGED, Style.DISTINCT)
"""Styles whose clip the advisor chooses."""

UNEVEN = {Measure.ROWS: 1 / 32, Measure.SUM: 1 / 2}
"""How far a group's share of what is weighed away lies from its share of everything: those who bring much in values go to
the dear departments, those who come often go everywhere. Nothing paid tells."""

WORTH_IT = 0.9
"""How much less two parts must be estimated to err than one."""

NARROW = 1 / 8
"""Of all rows, at most so many pass a narrow filter."""

CLEAR = 2.0
"""In standard deviations of the noise of a paid bin."""

HALF = 0.5
"""What a row adds on average to a sum of bounded values, as a share of the bound: nothing paid for tells."""


@dataclass(frozen=True)
class Precision:
    """How exact each tally shall be, in the order of the tallies.

    `noise`: the standard deviation of the noise of a tally, as a multiple of its sensitivity where its price is given
    (`priced`), else in rows of it."""

    noise: tuple[float, ...]
    priced: bool = True


def advised(plan: Plan, moved: tuple[Tally, ...], profile: Profile, precision: Precision) -> tuple[Tally, ...]:
    """The tallies, each under the clip that serves the question best and with what it may take."""
    made = list(moved)
    for members in _families(moved).values():
        norm = moved[members[0]].norm
        curve = _curve(plan, moved[members[0]], profile)
        if curve is not None:
            aims = [_aim(plan, moved[at], profile, precision.noise[at]) for at in members]
            clip = chosen(curve, aims) if precision.priced else sufficient(curve, aims)
            norm = replace(norm, clip=clip, advised=True)
        for at in members:
            made[at] = replace(made[at], norm=norm)
    return tuple(_told(plan, tally, profile) for tally in made)


def kept(plan: Plan, moved: tuple[Tally, ...], profile: Profile | None, clips: Sequence[int]) -> tuple[Tally, ...]:
    """The tallies under clips that were chosen before: a question that is added to keeps the ones it began with, and the
    parts in which it was told, which their number says."""
    moved = moved if len(clips) == len(moved) else scaled.paired(plan, moved)
    made = (
        replace(t, norm=replace(t.norm, clip=clip, advised=clip != t.norm.clip))
        for t, clip in zip(moved, clips, strict=True)
    )
    if profile is None:
        return tuple(made)
    return tuple(_told(plan, tally, profile) for tally in made)


def expected(plan: Plan, moved: tuple[Tally, ...], profile: Profile, precision: Precision) -> tuple[float, ...]:
    """The estimated error of each tally under its clip; 0 where nothing was paid that tells."""
    found = []
    for tally, noise in zip(moved, precision.noise, strict=True):
        curve = _curve(plan, tally, profile)
        found.append(_aim(plan, tally, profile, noise).error(curve, tally.norm.clip) if curve else 0.0)
    return tuple(found)


def is_better(
    plan: Plan,
    apart: tuple[Tally, ...],
    plainly: tuple[Tally, ...],
    profile: Profile,
    precision: Callable[[tuple[Tally, ...]], Precision],
) -> bool:
    """Do aggregates told in two parts err less, by what was paid for, than told at once?"""
    two = expected(plan, apart, profile, precision(apart))
    if not all(error for tally, error in zip(apart, two, strict=True) if tally.part in scaled.PARTS_OF_PRICE):
        return False  # nothing paid tells
    one = joined(plan, plainly, expected(plan, plainly, profile, precision(plainly)))
    parts = {tally.aggregate for tally in apart if tally.part == scaled.WHOLE}
    numbers = zip(plainly, joined(plan, apart, two), one, strict=True)
    ratios = [a / b for tally, a, b in numbers if tally.aggregate in parts and b > 0]
    return bool(ratios) and sum(ratios) < WORTH_IT * len(ratios)


def joined(plan: Plan, moved: Sequence[Tally], errors: Sequence[float]) -> tuple[float, ...]:
    """The errors of numbers as they are told: of groups and their whole one, in a group of average size."""
    made: list[float] = []
    for tally, error in zip(moved, errors, strict=True):
        if tally.part == scaled.WHOLE:
            made[-1] = math.hypot(made[-1], error / plan.cells)
        else:
            made.append(error)
    return tuple(made)


def _families(moved: Sequence[Tally]) -> dict[tuple[Style, Norm, int, str], list[int]]:
    """Of rows each aggregate is one, told in two parts each of these; persons and cells that are told apart under one norm
    are told apart once."""
    families: dict[tuple[Style, Norm, int, str], list[int]] = {}
    for at, tally in enumerate(moved):
        apart = -1 if tally.style is Style.DISTINCT else tally.aggregate
        part = tally.part if tally.part in scaled.PARTS_OF_PRICE else ""
        families.setdefault((tally.style, tally.norm, apart, part), []).append(at)
    return families


def _histogram(plan: Plan, tally: Tally, profile: Profile) -> Histogram | None:
    """Of a table of the dictionary: rows made within one person have other norms, whatever they are called."""
    stored = tally.norm.column and not plan.exact and plan.sources[0].made is None
    return profile.of(plan.root.name, tally.norm.column or "") if stored else None


def _curve(plan: Plan, tally: Tally, profile: Profile) -> Curve | None:
    """What each clip of the norm would take; None where the clip is not the advisor's to choose."""
    if plan.apart and tally.style is Style.EXACT:
        whole = profile.of(plan.root.name, "unit_rows")
        return curve_of_some(whole, share_of(plan, profile)) if whole else None
    histogram = _histogram(plan, tally, profile) if tally.style in ADVISED else None
    return curve_of(histogram, squared=_is_rooted(plan, tally)) if histogram else None


def _is_rooted(plan: Plan, tally: Tally) -> bool:
    """True where what is counted is the square of the norm: distinct cells under the root of their number."""
    return tally.norm.column in {f.distinct_norm for f in plan.root.facets}


def _aim(plan: Plan, tally: Tally, profile: Profile, noise: float) -> Aim:
    measure = plan.aggregates[tally.aggregate].measure
    groups, rows = float(plan.cells), _rows_in_norm(plan, tally, profile)
    share = 1.0 if plan.apart else share_of(plan, profile)  # the curve is of what passes already
    if measure in TOTALS:
        rows *= 1.0 if tally.factor == 1 else HALF
        if tally.part == scaled.WHOLE:
            return Aim(Goal.TOTAL, noise, 1.0, rows, share)
        if tally.part == scaled.SHARES:
            return Aim(Goal.SHARE, noise, groups, rows, share, UNEVEN[measure])
        return Aim(Goal.TOTAL, noise, groups, rows, share)
    return Aim(Goal.PROPORTION, noise * _ranks(plan, tally), uneven_groups(plan, profile), rows, share)


def uneven_groups(plan: Plan, profile: Profile) -> float:
    """How many groups of one size would have the noise that means of these have on average: it falls with the rows of each,
    so small ones count for more. By the paid histogram of a key, of the groups that stand clear of its noise."""
    found = 1.0
    for key in plan.keys:
        column = key.term.ref.column if key.term.op is Op.COLUMN and key.term.ref else None
        histogram = profile.of(plan.root.name, column.name) if column and column.codes else None
        persons = [p for p in histogram.persons[:-1] if p > CLEAR * histogram.noise] if histogram else []
        whole = sum(persons)
        evenly = plan.most_found if key.unlisted else len(key.domain)  # which values there are nobody knows yet
        found *= sum(whole / p for p in persons) / len(persons) if persons else evenly
    return found


def _ranks(plan: Plan, tally: Tally) -> float:
    """How much of a proportion one unit of noise moves: 1 in a mean; an entry of a matrix with the length of its rows; a
    rank by choice also errs with the number of bins, one read off a histogram with the root of it."""
    point = plan.aggregates[tally.aggregate].point
    if tally.matrix is not None:
        return tally.factor / ONE
    if tally.bins is None or point is None:
        return 1.0
    if tally.side is None:
        return math.sqrt(tally.bins.count) / 2
    return tally.factor * math.log(tally.bins.count + 1) / point.denominator


def _rows_in_norm(plan: Plan, tally: Tally, profile: Profile) -> float:
    """How many rows come with one unit of a facet's norm, over all persons: at least one."""
    if tally.norm.column not in {f.norm for f in plan.root.facets}:
        return 1.0
    curves = [curve_of(h) for h in (profile.of(plan.root.name, n) for n in ("unit_rows", tally.norm.column)) if h]
    whole = [c.whole for c in curves if c is not None]
    return max(whole[0] / whole[1], 1.0) if len(whole) == 2 and whole[1] > 0 else 1.0


def _told(plan: Plan, tally: Tally, profile: Profile) -> Tally:
    found = _clipping(plan, tally, profile)
    return tally if found == tally.clipping else replace(tally, clipping=found)


def _clipping(plan: Plan, tally: Tally, profile: Profile) -> Clipping | None:
    """What clipping may take of one tally, by a norm that was profiled; nothing where each vector is at most 1 long; not
    known where values of a person are passed over."""
    if tally.votes:
        return None  # who has more values than they are counted in is not profiled
    if tally.norm.column is None:
        clamped = any(source.made is not None and source.made.said for source in plan.sources)
        return None if clamped or plan.exact else NOTHING
    histogram = _histogram(plan, tally, profile)
    if histogram is None or tally.norm.at is not None:
        return None
    persons = tally.style in (Style.FLAGGED, Style.DISTINCT)
    return clipping(histogram, tally.norm.clip, persons=persons, squared=tally.norm.squared)


def weighed_away(plan: Plan, tally: Tally, profile: Profile) -> float | None:
    """Which share of everything that passes the clip is thought to take: where persons are told apart behind a narrow filter
    too, though nothing paid bounds what it may take there."""
    if tally.clipping is not None:
        return tally.clipping.about
    curve = _curve(plan, tally, profile) if plan.apart else None
    return curve.at(tally.norm.clip) / curve.whole if curve is not None and curve.whole > 0 else None


def is_narrow(plan: Plan, profile: Profile) -> bool:
    """Does a filter let so little through that a stored norm, of all rows, is much too long? Then persons are told apart in
    the question, where all that is asked are counts and means of their rows."""
    if plan.where is None or plan.exact or plan.root.one_row_per_person or plan.unlisted is not None:
        return False
    fitting = all(a.measure in (Measure.ROWS, Measure.MEAN) for a in plan.aggregates)
    return fitting and profile.of(plan.root.name, "unit_rows") is not None and share_of(plan, profile) <= NARROW


def rows_of(plan: Plan, profile: Profile) -> float | None:
    """All rows of the root, by what was paid for; None where nothing paid tells."""
    if plan.exact or plan.sources[0].made is not None:
        return None
    rows = profile.of(plan.root.name, "unit_rows")
    if rows is not None:
        curve = curve_of(rows)
        return curve.whole if curve else None
    if not plan.root.one_row_per_person:
        return None
    found = (profile.of(plan.root.name, column.name) for column in plan.root.columns)
    persons = next((sum(h.persons) for h in found if h is not None), 0.0)
    return persons if persons >= 1 else None


def rows_kept(plan: Plan, tally: Tally, profile: Profile) -> float | None:
    """Rows of a group of average size, as far as filter and clip leave them."""
    rows = rows_of(plan, profile)
    if rows is None:
        return None
    curve = _curve(plan, tally, profile)
    left = 1 - curve.at(tally.norm.clip) / max(curve.whole, 1e-9) if curve else 1.0
    return max(rows * left * share_of(plan, profile) / plan.cells, 1.0)


def per_sensitivity(rho: int) -> float:
    """The standard deviation of a discrete Gaussian of this nano-rho, as a multiple of its sensitivity."""
    return 1 / math.sqrt(2 * rho / 10**9)


def in_rows(scale: int, tally: Tally) -> float:
    """A scale in 1/65536 as rows of a tally."""
    return scale / WEIGHT_ONE / tally.factor
