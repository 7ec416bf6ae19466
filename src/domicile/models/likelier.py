"""How far may a noisy number be drawn towards what is expected of it?

As far as noise hides whether it differs. Numbers differ from what is expected by a variance that nobody knows; it is the
one under which the whole table is likeliest (empirical Bayes: Efron and Morris 1973; a grid of variances is tried). Where
numbers are seen to differ they are let be, where all that is seen is noise they come down on what is expected.
"""

from __future__ import annotations

import numpy as np

from domicile.models.nearest import Array

DIFFERENCES = np.concatenate([[0.0], np.logspace(-6, 3, 73)])
"""Variances that are tried, in units of what is expected, or of its square."""


def drawn_towards(cells: Array, noise: float, expected: Array) -> Array:
    """Counts or sums, each towards what is expected of it. Larger ones differ by more: by a variance that grows as they do,
    or as their square, whichever is likelier."""
    off, size = cells - expected, np.maximum(expected, 0.0)
    best, found = -np.inf, np.zeros_like(cells)
    for power in (1, 2):
        for difference in DIFFERENCES:
            apart = difference * size**power
            likelihood = _likelihood(off, noise**2 + apart)
            if likelihood > best + 1e-9:
                best, found = likelihood, apart
    drawn: Array = expected + found / (found + noise**2) * off
    return drawn


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


def _likelihood(off: Array, variance: Array) -> float:
    return -0.5 * float(np.sum(np.log(variance) + off**2 / variance))
