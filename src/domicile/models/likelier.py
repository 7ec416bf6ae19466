"""How far may a noisy number be drawn towards what is expected of it?

As far as noise hides whether it differs. Numbers differ from what is expected by a variance that nobody knows; a grid of
variances is tried, and each counts by how likely it makes the whole table (empirical Bayes: Efron and Morris 1973). Where
numbers are seen to differ they are let be, where all that is seen is noise they come down on what is expected. A few
that differ by much more than all others do not keep these from coming down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domicile.models.nearest import Array

DIFFERENCES = np.concatenate([[0.0], np.logspace(-6, 3, 37)])
"""Variances that are tried, in units of what is expected, or of its square."""

FARTHER, FEW = (8.0, 64.0), (1 / 16, 1 / 8, 1 / 4)
"""A few differ by a variance so many times as large; so many of all are these few."""

LEAST_GROUPS = 5
"""A straight line through fewer says nothing."""

UNASKED = math.log(len(FARTHER) * len(FEW))
"""That there are such few, in whatever number, is as likely as that there are none, before the table is read."""


@dataclass(frozen=True)
class Expected:
    """What is known of numbers before their table is read: `centre`, what they should be; `seen`, what the table would tell
    of that under its clip; the variance of what it tells around `seen`, noise and doubt together, if no number differs; how
    much of that is doubt of the centre alone."""

    centre: Array
    seen: Array
    variance: Array
    doubt: Array


def drawn_towards(cells: Array, noise: float, expected: Array) -> Array:
    """Counts or sums, each towards what is expected of it, which nobody doubts."""
    return drawn(cells, Expected(expected, expected, np.full(cells.shape, noise**2), np.zeros(cells.shape)))[1]


def drawn(cells: Array, known: Expected) -> tuple[float, Array]:
    """How likely the table is (a logarithm), and its numbers, each towards what is expected of it. Larger ones differ by
    more, by a variance that grows as they do or as their square; a few may differ by much more than all others."""
    off, size = cells - known.seen, np.maximum(known.centre, 0.0)
    tried = [one for power in (1, 2) for one in _tried(off, size**power, known)]
    return averaged(np.concatenate([one for one, _ in tried]), np.concatenate([one for _, one in tried]))


def _tried(off: Array, size: Array, known: Expected) -> Iterator[tuple[Array, Array]]:
    """Of all variances the likelihood and the numbers (variances × cells): first no few, then each share of them."""

    def under(differences: Array) -> tuple[Array, Array]:
        apart = differences.reshape(-1, *[1] * off.ndim) * size
        variance = known.variance + apart
        return -0.5 * (np.log(variance) + off**2 / variance), known.centre + (apart + known.doubt) / variance * off

    cells = tuple(range(1, off.ndim + 1))
    likely, found = under(DIFFERENCES)
    yield likely.sum(axis=cells), found
    for times in FARTHER:
        other, far = under(times * DIFFERENCES)
        for share in FEW:
            near, beyond = likely + math.log(1 - share), other + math.log(share)
            both = np.logaddexp(near, beyond)
            yield both.sum(axis=cells) - UNASKED, found + np.exp(beyond - both) * (far - found)


def averaged(likelihoods: Array, found: Array) -> tuple[float, Array]:
    """Everything that was tried, each by how likely it is: the logarithm of the mean likelihood, and the mean."""
    best = float(likelihoods.max())
    weights = np.exp(likelihoods - best)
    return best + math.log(float(weights.mean())), np.tensordot(weights / weights.sum(), found, axes=1)


def around_means(means: Array, errors: Array, cells: Array, cell_errors: Array) -> tuple[Array, Array]:
    """Means of groups (n) and of the cells in each (n × m): both, made likelier by each other. A cell differs from its
    group by a variance that is the same for all; the group is told by its own draw and by its cells."""
    known, sure = np.isfinite(cells) & np.isfinite(cell_errors), np.isfinite(means) & np.isfinite(errors)
    noise = np.where(known, cell_errors, np.inf) ** 2
    values, told = np.where(known, cells, 0.0), np.where(sure, means, 0.0)
    heavy = np.where(known, 1 / np.sqrt(np.where(known, noise, 1.0)), 0.0)
    heavy = heavy / np.maximum(heavy.sum(axis=1, keepdims=True), 1e-300)
    crowded = (heavy**2).sum(axis=1)  # how much of a group's mean is that of its largest cell
    own = np.where(sure, errors, np.inf) ** 2
    unit = float(np.median(told[sure] ** 2)) if sure.any() else 1.0
    best, found = -np.inf, (means, cells)
    for difference in DIFFERENCES:
        apart = difference * unit
        weights, whole = 1 / (noise + apart), 1 / (own + apart * crowded)
        precision = np.maximum(weights.sum(axis=1) + whole, 1e-300)
        centre = ((weights * values).sum(axis=1) + whole * told) / precision
        likelihood = _likelihood((values - centre[:, None])[known], (noise + apart)[known])
        likelihood += _likelihood((told - centre)[sure], (own + apart * crowded)[sure])
        if likelihood <= best + 1e-9:
            continue
        best = likelihood
        from_cells = np.maximum(weights.sum(axis=1), 1e-300)
        guess, doubt = (weights * values).sum(axis=1) / from_cells, 1 / from_cells + apart * crowded
        precise = np.where(sure, 1 / np.where(sure, own, 1.0), 0.0)
        group = (precise * told + guess / doubt) / (precise + 1 / doubt)
        drawn = centre[:, None] + apart * weights * np.where(known, values - centre[:, None], 0.0)
        found = np.where(sure, group, means), drawn
    return found


def along(numbers: Array, errors: Array, beside: Array) -> tuple[Array, Array]:
    """Numbers of groups, each with an error of its own, and those errors: drawn towards a straight line through another
    number of the same groups, as far as noise hides whether they lie off it (Fay and Herriot 1979)."""
    known = np.isfinite(numbers) & np.isfinite(errors) & np.isfinite(beside)
    if known.sum() < LEAST_GROUPS or np.ptp(beside[known]) == 0:
        return numbers, errors
    told, noise = numbers[known], errors[known] ** 2
    line = np.stack([np.ones_like(told), beside[known]], axis=1)
    likely, found = np.empty(len(DIFFERENCES)), np.empty((len(DIFFERENCES), 2, len(told)))
    for at, apart in enumerate(DIFFERENCES * float(np.median(told**2))):
        weights = line / (noise + apart)[:, None]
        square = line.T @ weights
        fitted = line @ np.linalg.lstsq(square, weights.T @ told, rcond=None)[0]
        likely[at] = _likelihood(told - fitted, noise + apart) - 0.5 * np.linalg.slogdet(square)[1]
        near = noise / (noise + apart)
        doubt = np.einsum("ci,ij,cj->c", line, np.linalg.pinv(square), line)
        found[at] = told + near * (fitted - told), near * apart + near**2 * doubt
    _, (mean, variance) = averaged(likely, found)
    _, spread = averaged(likely, (found[:, 0] - mean) ** 2)
    made, doubts = numbers.copy(), errors.copy()
    made[known], doubts[known] = mean, np.sqrt(variance + spread)
    return made, doubts


def _likelihood(off: Array, variance: Array) -> float:
    return -0.5 * float(np.sum(np.log(variance) + off**2 / variance))
