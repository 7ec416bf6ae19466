"""What most likely stands behind the noisy numbers of a norm's histogram?

Between the bins that stand clear of the noise and those that do not there is no edge to trust, so each number is a
compromise, by inverse variance, of what was bought and of the lognormal that fits all bins best. The lognormal itself may
be off by a share of each bin (`MISFIT`), in the fit as in the compromise: with few persons it says nearly everything,
with many nearly nothing. Within a bin persons stand as the lognormal has them (`crowd`): where few have much, most of a bin
are near its lower edge. Post-processing of paid numbers; whoever is not in the rows changes nothing here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from enclave.catalogue.profile import Histogram

MISFIT = 0.3
"""How far the persons of a bin may be from the lognormal, as a share of it: one standard deviation."""

PLACES, WIDTHS = 60, 24
NARROWEST, WIDEST = 0.1, 2.5
"""Lognormals tried: places of the median over the octaves of the edges and two before, widths σ of the logarithm."""

CLOSER = 9
"""Around the likeliest of these so many places and widths are tried again, up to its neighbours."""

ROWS = "unit_rows"
"""A norm that is a whole number."""

SLICES, MOST_WHOLE = 16, 64
"""A bin is cut in so many slices, evenly over the logarithm; of whole numbers in each, if they are not more than so many."""

FAINT = 3.0
"""A histogram whose total is not so many standard deviations above nothing says nothing of its shape."""

Numbers = NDArray[np.float64]
Lognormal = tuple[float, float]
Tried = tuple[list[Lognormal], Numbers]


def is_faint(histogram: Histogram) -> bool:
    """True when all its persons together do not stand clear of the noise."""
    return sum(histogram.persons) < FAINT * histogram.noise * math.sqrt(len(histogram.counts))


def is_hardly_known(variable: Histogram) -> bool:
    """The same of those who have a value: where nearly all miss one, how the few others lie is noise."""
    return is_faint(replace(variable, counts=variable.counts[:-1]))


@lru_cache(maxsize=1024)
def likely(histogram: Histogram) -> tuple[float, ...]:
    """Persons in each bin of a norm, none below 0."""
    return tuple(float(persons) for persons in _likely(histogram)[0])


@lru_cache(maxsize=1024)
def _likely(histogram: Histogram) -> tuple[Numbers, Lognormal]:
    told, noise = np.array(histogram.persons), histogram.noise**2
    half = 0.5 if histogram.column == ROWS else 0.0  # a whole number stands for what lies nearest
    fitted, shaped = _lognormal(tuple(edge + half for edge in histogram.edges), told, noise)
    doubt = (MISFIT * fitted) ** 2 + 1e-9
    best = (told / noise + fitted / doubt) / (1 / noise + 1 / doubt)
    return np.maximum(best, 0.0), shaped


@lru_cache(maxsize=1024)
def crowd(histogram: Histogram) -> tuple[Numbers, Numbers]:
    """Norms, rising, and how many persons are likely to have each."""
    persons, (place, width) = _likely(histogram)
    edges = histogram.edges
    norms, each = [], []
    for low, high, here in zip((edges[0] / 2, *edges), (*edges, 2 * edges[-1]), persons, strict=True):
        found, stretch = _within(low, high, whole=histogram.column == ROWS)
        density = -0.5 * ((np.log(found) - place) / width) ** 2 + np.log(stretch / found)
        weights = np.exp(density - density.max())
        norms.append(found)
        each.append(here * weights / weights.sum())
    return np.concatenate(norms), np.concatenate(each)


def _within(low: float, high: float, *, whole: bool) -> tuple[Numbers, Numbers]:
    """Norms above `low` up to `high`, and for how long a stretch each stands."""
    if whole and high - low <= MOST_WHOLE:
        found = np.arange(math.floor(low) + 1, math.floor(high) + 1, dtype=np.float64)
        return found, np.ones_like(found)
    cuts = np.geomspace(low, high, SLICES + 1) + (0.5 if whole else 0.0)
    return np.sqrt(cuts[1:] * cuts[:-1]), np.diff(cuts)


def _lognormal(edges: tuple[float, ...], told: Numbers, noise: float) -> tuple[Numbers, Lognormal]:
    """The persons in each bin by the likeliest lognormal, and that: in logarithms its median and its width."""
    tried = _grid(edges)
    for _ in range(2):
        fitted, (place, width) = _likeliest(tried, told, noise)
        tried = _closer(edges, place, width)
    return fitted, (place, width)


def _likeliest(tried: Tried, told: Numbers, noise: float) -> tuple[Numbers, Lognormal]:
    lognormals, shares = tried
    allowed = noise + (MISFIT * max(float(told.sum()), 1.0) * shares) ** 2
    size = (shares * told / allowed).sum(axis=1) / np.maximum((shares**2 / allowed).sum(axis=1), 1e-30)
    fitted = np.maximum(size, 0.0)[:, None] * shares
    allowed = noise + (MISFIT * fitted) ** 2
    unlikely = ((told - fitted) ** 2 / allowed + np.log(allowed)).sum(axis=1)
    best = int(unlikely.argmin())
    return fitted[best], lognormals[best]


@lru_cache(maxsize=64)
def _grid(edges: tuple[float, ...]) -> Tried:
    first, last = math.log(edges[0]) - 2, math.log(edges[-1])
    return _shares(edges, np.linspace(first, last, PLACES), np.geomspace(NARROWEST, WIDEST, WIDTHS))


def _closer(edges: tuple[float, ...], place: float, width: float) -> Tried:
    step = (math.log(edges[-1]) - math.log(edges[0]) + 2) / (PLACES - 1)
    ratio = (WIDEST / NARROWEST) ** (1 / (WIDTHS - 1))
    places = np.linspace(place - step, place + step, CLOSER)
    return _shares(edges, places, np.geomspace(width / ratio, width * ratio, CLOSER))


def _shares(edges: tuple[float, ...], places: Numbers, widths: Numbers) -> Tried:
    """Of every lognormal tried: which share of persons falls into each bin."""
    logs = [math.log(edge) for edge in edges]
    normal = NormalDist()
    lognormals, rows = [], []
    for place in places:
        for width in widths:
            below = [normal.cdf((log - place) / width) for log in logs]
            lognormals.append((float(place), float(width)))
            rows.append(np.diff([0.0, *below, 1.0]))
    return lognormals, np.array(rows)


def quantile(histogram: Histogram, share: float) -> float:
    """The upper edge of the bin in which that share of persons is likely reached."""
    persons = likely(histogram)
    wanted, so_far = share * sum(persons), 0.0
    for edge, here in zip(histogram.edges, persons, strict=False):
        so_far += here
        if so_far >= wanted:
            return float(edge)
    return float(histogram.edges[-1])
