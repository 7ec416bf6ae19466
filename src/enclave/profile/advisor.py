"""Which clip C serves a question best?

A larger C lets more noise in, a smaller one weighs more rows away. From a ladder of whole C (four an octave) the one is
taken at which the estimated error is least: for counts and sums bias² + noise² in a group of average size, for means and
quantiles the same of a proportion, where weighing a person down shifts the answer only as far as they differ from others.
A pure function of text, price and paid histogram.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from enclave.catalogue.profile import Histogram
from enclave.profile.bins import octaves
from enclave.profile.shape import crowd, is_faint

HARDLY = 1 / 500
"""The share of everything that `hardly_exceeded` lets a clip take."""

DIFFERENCE = 1 / 64
"""How far clipped persons may lie from all others in a mean, in half-ranges of the value: nothing paid for tells."""


@dataclass(frozen=True)
class Curve:
    """What each clip would take, in the unit of the norm: of all persons together Σ(n − C)⁺, of `whole` Σn."""

    clips: tuple[int, ...]
    lost: tuple[float, ...]
    whole: float

    @cached_property
    def _on_ladder(self) -> dict[int, float]:
        return dict(zip(self.clips, self.lost, strict=True))

    def at(self, clip: int) -> float:
        """What a clip takes; between two of the ladder, in a straight line."""
        known = self._on_ladder.get(clip)
        if known is not None:
            return known
        if clip >= self.clips[-1]:
            return self.lost[-1]
        if clip <= self.clips[0]:
            return self.lost[0]
        below = next(i for i, (a, b) in enumerate(pairwise(self.clips)) if a <= clip <= b)
        a, b = self.clips[below], self.clips[below + 1]
        return self.lost[below] + (self.lost[below + 1] - self.lost[below]) * (clip - a) / (b - a)


class Goal(StrEnum):
    """What is wanted of a tally."""

    TOTAL = "total"
    SHARE = "share"  # of a whole that is told apart: only the unevenness of what is lost remains
    PROPORTION = "proportion"  # a mean, a moment, a quantile: totals over a count under the same weights


@dataclass(frozen=True)
class Aim:
    """One tally as the advisor sees it."""

    goal: Goal
    noise: float
    """Standard deviation of its noise in each group at C = 1; for a proportion, in half-ranges of the value."""
    groups: float
    """How many groups the rows are spread over."""
    rows: float = 1.0
    """How much of what is counted comes with one unit of the norm."""
    share: float = 1.0
    """Which share of the rows passes the filter."""
    spread: float = 1.0
    """Of what a group loses, which part is not made good by its share of the whole."""

    def error(self, curve: Curve, clip: int) -> float:
        """The estimated error of one group."""
        return self._error(curve.whole, clip, curve.at(clip))

    def errors(self, curve: Curve) -> list[float]:
        """The same at every clip of the ladder."""
        return [self._error(curve.whole, clip, lost) for clip, lost in zip(curve.clips, curve.lost, strict=True)]

    def _error(self, whole: float, clip: int, lost: float) -> float:
        scale = self.rows * self.share / self.groups
        if self.goal is Goal.TOTAL:
            return math.hypot(lost * scale, self.noise * clip)
        if self.goal is Goal.SHARE:
            left = max(1 - lost / max(whole, 1e-9), 1e-9)
            return math.hypot(self.spread * lost * scale, self.noise * clip / left)
        kept = max((whole - lost) * scale, 1e-9)
        return min(math.hypot(self.noise * clip / kept, DIFFERENCE * lost / max(whole, 1e-9)), 1.0)


@lru_cache(maxsize=1024)
def curve_of(histogram: Histogram, *, squared: bool = False) -> Curve | None:
    """The curve of a stored norm; None when the histogram is too faint to say anything.

    `squared`: of what a person has n² where the norm is n (distinct cells under the root of their number)."""
    if is_faint(histogram):
        return None
    norms, persons = crowd(histogram)
    clips = octaves(histogram.edges[0], histogram.edges[-1], 4)
    each = persons * norms if squared else persons
    lost = tuple(float((each * np.maximum(norms - clip, 0.0)).sum()) for clip in clips)
    return Curve(clips, lost, float((each * norms).sum()))


@lru_cache(maxsize=1024)
def curve_of_some(histogram: Histogram, share: float) -> Curve | None:
    """The same of the rows that a filter lets through, `share` of all, when it takes them one by one whosever they are: of n
    rows some Poisson number is left."""
    if is_faint(histogram):
        return None
    norms, persons = crowd(histogram)
    clips = octaves(histogram.edges[0], histogram.edges[-1], 4)
    beyond = persons @ _beyond(share * norms)
    lost = tuple(float(beyond[clip]) if clip < len(beyond) else 0.0 for clip in clips)
    return Curve(clips, lost, float(share * (persons * norms).sum()))


def _beyond(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """E[(N − C)⁺] of Poisson numbers N, for C = 0, 1, …: the sum of P[N > k] over k ≥ C."""
    largest = float(means.max())
    counts = np.arange(int(largest + 12 * math.sqrt(largest) + 20))
    factorials = np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    chances = np.exp(counts * np.log(means)[:, None] - means[:, None] - factorials)
    tails = chances[:, ::-1].cumsum(axis=1)[:, ::-1]  # P[N ≥ k]
    sums: NDArray[np.float64] = tails[:, :0:-1].cumsum(axis=1)[:, ::-1]
    return sums


def chosen(curve: Curve, aims: Sequence[Aim]) -> int:
    """The clip at which the errors of all aims, each as a multiple of its own least, have the least sum."""
    multiples = []
    for aim in aims:
        errors = aim.errors(curve)
        least = max(min(errors), 1e-12)
        multiples.append([error / least for error in errors])
    sums = [sum(at) for at in zip(*multiples, strict=True)]
    return curve.clips[sums.index(min(sums))]


def hardly_exceeded(curve: Curve) -> int:
    """The least clip above which there is hardly anything (`HARDLY` of the whole)."""
    return next((clip for clip in curve.clips if curve.at(clip) <= HARDLY * curve.whole), curve.clips[-1])


def sufficient(curve: Curve, aims: Sequence[Aim]) -> int:
    """For a question that says its noise instead of its price: the least clip whose estimated bias stays within the noise
    that was asked, `aim.noise` being that noise itself. The price falls with C²."""
    for clip in curve.clips:
        if all(curve.at(clip) * a.rows * a.share / a.groups <= a.noise for a in aims):
            return clip
    return curve.clips[-1]
