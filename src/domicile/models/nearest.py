"""Which counts are nearest to noisy ones, and could be true?

Counts are not negative and add up to their margins. The nearest by least squares keep what noise leaves unbiased, totals
and margins, and give up what it makes impossible. Everything here is post-processing of noisy numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ROUNDS = 1_000
ENOUGH = 1e-6
"""Margins are met when none is off by more than this part of the total."""


def with_total(noisy: Array, total: float) -> Array:
    """The nearest non-negative numbers that add up to `total`; with a total of 0 or less all are 0."""
    lowered = noisy - _excess(noisy.reshape(1, -1), np.array([total]))[0]
    found: Array = np.maximum(lowered, 0.0)
    return found


def kept(noisy: Array) -> Array:
    """The nearest non-negative numbers with the same total."""
    return with_total(noisy, float(noisy.sum()))


def consistent(noisy: Array) -> Array:
    """The nearest non-negative table whose one-way margins are those of the noisy one, each brought to what it could be.

    Such a table is noisy + a + b + … cut off at 0, with one number of a for each row, of b for each column, and so on. Each
    set in turn is chosen so that its margin is met (Hildreth 1957); the others are then a little less off than before."""
    total = float(noisy.sum())
    margins = [with_total(one_way(noisy, axis), total) for axis in range(noisy.ndim)]
    raised = noisy.astype(np.float64)
    for _ in range(ROUNDS):
        for axis, margin in enumerate(margins):
            slices = np.moveaxis(raised, axis, 0)
            excess = _excess(slices.reshape(len(margin), -1), margin)
            raised = np.moveaxis(slices - excess.reshape(-1, *[1] * (noisy.ndim - 1)), 0, axis)
        found: Array = np.maximum(raised, 0.0)
        off = [np.abs(one_way(found, axis) - margin).max() for axis, margin in enumerate(margins)]
        if max(off) <= ENOUGH * max(total, 1.0):
            break
    return found


def one_way(cells: Array, axis: int) -> Array:
    """The margin of one key."""
    margin: Array = cells.sum(axis=tuple(a for a in range(cells.ndim) if a != axis))
    return margin


def _excess(rows: Array, totals: Array) -> Array:
    """What to take from every number of a row so that those above 0 add up to its total (Held, Wolfe and Crowder 1974)."""
    falling = -np.sort(-rows, axis=1)
    excess = (np.cumsum(falling, axis=1) - totals[:, None]) / np.arange(1, rows.shape[1] + 1)
    last = (falling > excess).sum(axis=1) - 1
    chosen: Array = np.where(totals > 0, excess[np.arange(len(rows)), last], falling[:, 0])
    return chosen
