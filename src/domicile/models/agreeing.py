"""What do several noisy tables of the same rows say together?

Tables that count the same rows by different keys, or add up the same column, have margins in common. Each was drawn by
itself, so each tells them anew, and none tells them best. `agree` brings them together: their totals, then the margins any
two of them share, each estimate weighed by its inverse variance (noise, and what a clip may have taken unevenly); what a
margin gains is spread evenly over the cells below, which is least squares. Cells of a table by several keys are then drawn
towards what their margins make likely, `agree_means` draws means of cells towards the mean above them, `resembling` a
table of some rows towards the shares of a table of all: as far as noise hides whether they differ (`likelier`).

Everything here is post-processing of noisy numbers, and free. `x` becomes the estimate, `x_told` is the number as it was
told; the noise interval beside it stays that of the number as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from domicile.models.likelier import around_means, drawn_towards
from domicile.models.nearest import Array, one_way, with_total
from domicile.models.result import Given
from domicile.models.told import Told
from domicile.wire.words import say

if TYPE_CHECKING:
    import pandas as pd

UNEVEN = 1 / 8
"""How far a group's share of what is weighed away may lie from its share of everything."""

ROUNDS = 20


def agree(*answers: Given, column: str) -> tuple[pd.DataFrame, ...]:
    """Tables of the same rows, brought to agree. `column`: a count, or a sum of what is never negative."""
    tables = [Told(answer, column) for answer in answers]
    noise = _of_one_total(tables)
    for names in _shared(tables):
        mine = [(table, each) for table, each in zip(tables, noise, strict=True) if set(names) <= set(table.keys)]
        found = [table.margin(names) for table, _ in mine]
        size = np.mean(found, axis=0) ** 2
        agreed = _weighed(found, [each**2 * t.below(names) + (UNEVEN * t.weighed_away) ** 2 * size for t, each in mine])
        for (table, _), margin in zip(mine, found, strict=True):
            table.cells = table.cells + table.spread(names, (agreed - margin) / table.below(names))
    return tuple(t.shown(_likely(t.cells, each)) for t, each in zip(tables, noise, strict=True))


def _of_one_total(tables: Sequence[Told]) -> list[float]:
    """Every table is brought to the total that all tell; the noise of a cell of each."""
    totals = [np.array(float(t.cells.sum())) for t in tables]
    total = float(_weighed(totals, [np.array(t.noise_of_all**2) for t in tables]))
    noise = []
    for table, own in zip(tables, totals, strict=True):
        factor = total / float(own) if own > 0 and total > 0 else 1.0
        table.cells = table.cells * factor
        noise.append(table.noise * factor)
    return noise


def _shared(tables: Sequence[Told]) -> list[tuple[str, ...]]:
    """Which margins two tables have in common, the finest first."""
    found = {frozenset(a.keys) & frozenset(b.keys) for a, b in combinations(tables, 2)}
    return sorted((tuple(sorted(names)) for names in found if names), key=lambda names: (-len(names), names))


def _weighed(estimates: Sequence[Array], variances: Sequence[Array | float]) -> Array:
    """By inverse variance."""
    weights = [np.broadcast_to(1 / np.asarray(variance), estimates[0].shape) for variance in variances]
    found: Array = np.sum(np.multiply(weights, estimates), axis=0) / np.sum(weights, axis=0)
    return found


def _likely(cells: Array, noise: float) -> Array:
    """Cells towards what their margins make of them, none below 0, with the same margins."""
    total = float(cells.sum())
    if cells.ndim < 2 or total <= 0:
        return with_total(cells.ravel(), total).reshape(cells.shape)
    margins = [with_total(one_way(cells, axis), total) for axis in range(cells.ndim)]
    expected = np.full(cells.shape, total)
    for axis, margin in enumerate(margins):
        expected = expected * _across(margin / total, cells.ndim, axis)
    found = np.maximum(drawn_towards(cells, noise, expected), 0.0)
    for _ in range(ROUNDS):
        for axis, margin in enumerate(margins):
            now = one_way(found, axis)
            raised = np.where(now > 0, margin / np.where(now > 0, now, 1.0), 0.0)
            found = found * _across(raised, cells.ndim, axis)
    return found


def _across(numbers: Array, dimensions: int, axis: int) -> Array:
    return np.expand_dims(numbers, [a for a in range(dimensions) if a != axis])


def agree_means(coarse: Given, fine: Given, *, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means of the same rows by some keys, and by these and more."""
    above, below = Told(coarse, column), Told(fine, column)
    order = [below.keys.index(key) for key in above.keys if key in below.keys]
    turned = np.moveaxis(below.cells, order, range(len(order)))
    if len(order) != len(above.keys) or turned.shape[: len(order)] != above.cells.shape:
        raise ValueError(say("models.other_keys"))
    groups = above.cells.size
    errors = np.moveaxis(below.errors, order, range(len(order))).reshape(groups, -1)
    means, cells = around_means(above.cells.ravel(), above.errors.ravel(), turned.reshape(groups, -1), errors)
    back = np.moveaxis(cells.reshape(turned.shape), range(len(order)), order)
    return above.shown(means.reshape(above.cells.shape)), below.shown(back)


def resembling(answer: Given, like: Given, *, column: str) -> pd.DataFrame:
    """A table (of some of the rows) towards the shares of another by the same keys (of all of them)."""
    table, other = Told(answer, column), Told(like, column)
    if table.keys != other.keys or table.cells.shape != other.cells.shape:
        raise ValueError(say("models.other_keys"))
    total, whole = float(table.cells.sum()), float(other.cells.sum())
    if total <= 0 or whole <= 0:
        return table.shown(table.cells)
    expected = with_total(other.cells.ravel(), whole).reshape(other.cells.shape) * (total / whole)
    found = drawn_towards(table.cells, table.noise, expected)
    return table.shown(with_total(found.ravel(), total).reshape(found.shape))
