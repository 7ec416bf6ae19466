"""What most likely stands behind the noisy numbers of a norm's histogram?

Between the bins that stand clear of the noise and those that do not there is no edge to trust, so each number is a
compromise, by inverse variance, of what was bought and of the lognormal that fits all bins best. The lognormal itself may
be off by a share of each bin (`MISFIT`), in the fit as in the compromise: with few persons it says nearly everything,
with many nearly nothing. Post-processing of paid numbers; whoever is not in the rows changes nothing here.
"""

from __future__ import annotations

import math
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

FAINT = 3.0
"""A histogram whose total is not so many standard deviations above nothing says nothing of its shape."""

Numbers = NDArray[np.float64]


def is_faint(histogram: Histogram) -> bool:
    """True when all its persons together do not stand clear of the noise."""
    return sum(histogram.persons) < FAINT * histogram.noise * math.sqrt(len(histogram.counts))


@lru_cache(maxsize=1024)
def likely(histogram: Histogram) -> tuple[float, ...]:
    """Persons in each bin of a norm, none below 0."""
    told = np.array(histogram.persons)
    noise = histogram.noise**2
    fitted = _lognormal(histogram.edges, told, noise)
    doubt = (MISFIT * fitted) ** 2 + 1e-9
    best = (told / noise + fitted / doubt) / (1 / noise + 1 / doubt)
    return tuple(float(persons) for persons in np.maximum(best, 0.0))


def _lognormal(edges: tuple[int, ...], told: Numbers, noise: float) -> Numbers:
    """The persons in each bin by the likeliest lognormal."""
    shares = _shares(edges)
    allowed = noise + (MISFIT * max(float(told.sum()), 1.0) * shares) ** 2
    size = (shares * told / allowed).sum(axis=1) / np.maximum((shares**2 / allowed).sum(axis=1), 1e-30)
    fitted = np.maximum(size, 0.0)[:, None] * shares
    allowed = noise + (MISFIT * fitted) ** 2
    unlikely = ((told - fitted) ** 2 / allowed + np.log(allowed)).sum(axis=1)
    best: Numbers = fitted[int(unlikely.argmin())]
    return best


@lru_cache(maxsize=64)
def _shares(edges: tuple[int, ...]) -> Numbers:
    """Of every lognormal tried: which share of persons falls into each bin."""
    logs = [math.log(edge) for edge in edges]
    normal = NormalDist()
    rows = []
    for place in np.linspace(logs[0] - 2, logs[-1], PLACES):
        for width in np.geomspace(NARROWEST, WIDEST, WIDTHS):
            below = [normal.cdf((log - place) / width) for log in logs]
            rows.append(np.diff([0.0, *below, 1.0]))
    return np.array(rows)


def quantile(histogram: Histogram, share: float) -> float:
    """The upper edge of the bin in which that share of persons is likely reached."""
    persons = likely(histogram)
    wanted, so_far = share * sum(persons), 0.0
    for edge, here in zip(histogram.edges, persons, strict=False):
        so_far += here
        if so_far >= wanted:
            return float(edge)
    return float(histogram.edges[-1])
