"""What do several noisy tables of the same rows say together?

Tables that count the same rows by different keys, or add up the same column, have margins in common. Each was drawn by
itself, so each tells them anew, and none tells them best. `agree` brings them together: their totals, each with what its
quote says a clip took of all, then the margins any two of them share, each estimate weighed by its noise and by how its
clip bends it (`unbent`); what a margin gains is spread evenly over the cells below, which is least squares. Cells of a table
by several keys are then drawn towards what their margins make likely, `agree_means` draws means of cells towards the mean
above them, and means towards the line through medians, `resembling` a table towards the shares of others: as far as noise
hides whether they differ (`likelier`). How many rows a person has on average is told again by the total of such tables
over the persons of the paid profile (`each`).

Everything here is post-processing of noisy numbers, and free. `x` becomes the estimate, `x_told` is the number as it was
told; the noise interval beside it stays that of the number as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from domicile.models.likelier import along, around_means, averaged, drawn, drawn_towards
from domicile.models.nearest import Array, one_way, with_total
from domicile.models.result import Given
from domicile.models.told import Told
from domicile.models.unbent import Margins, seen_beside, unbent
from domicile.wire.words import say

if TYPE_CHECKING:
    import pandas as pd

    from domicile.wire.known import EstimateCard

ROUNDS = 20

CLEAR = 3.0
"""Rows of a group are known when they stand so many standard deviations above nothing."""

SURELY = 1.959964
"""Standard deviations of a 95 % interval."""


def agree(*answers: Given, column: str, counts: Given | None = None, rows: str = "n") -> tuple[pd.DataFrame, ...]:
    """Tables of the same rows, brought to agree. `column`: a count, or a sum of what is never negative. `counts`, a table of
    how many rows (its column `rows`) each group of sums has, shows where rows are dear: there clips take more."""
    tables = [Told(answer, column) for answer in answers]
    noise = _of_one_total(tables)
    for names in _shared(tables):
        mine = [(table, each) for table, each in zip(tables, noise, strict=True) if set(names) <= set(table.keys)]
        margins = _margins([table for table, _ in mine], [each for _, each in mine], names)
        agreed = unbent(margins, _rows_of(counts, rows, names, margins))
        for at, (table, _) in enumerate(mine):
            moved = (agreed - margins.told[:, at]) / table.below(names)
            table.cells = table.cells + table.spread(names, moved.reshape(table.margin(names).shape))
    return tuple(t.shown(_likely(t.cells, each)) for t, each in zip(tables, noise, strict=True))


def _margins(tables: Sequence[Told], noise: Sequence[float], names: Sequence[str]) -> Margins:
    return Margins.of(
        [table.margin(names) for table in tables],
        [each**2 * table.below(names) for table, each in zip(tables, noise, strict=True)],
        [table.weighed_away for table in tables],
    )


def _rows_of(counts: Given | None, rows: str, names: Sequence[str], margins: Margins) -> Array | None:
    """How many rows each group of a margin has; those that do not stand clear of their noise have none."""
    table = Told(counts, rows) if counts is not None else None
    if table is None or not set(names) <= set(table.keys):
        return None
    found = table.margin(names).ravel()
    if len(found) != len(margins.told):
        raise ValueError(say("models.other_keys"))
    return np.where(found > CLEAR * table.noise * np.sqrt(table.below(names)), found, 0.0)


def _of_one_total(tables: Sequence[Told], wanted: float | None = None) -> list[float]:
    """Every table is brought to the total that all tell, or to the one that is wanted; the noise of a cell of each."""
    totals, total = [float(t.cells.sum()) for t in tables], wanted or _total(tables)[0]
    noise = []
    for table, own in zip(tables, totals, strict=True):
        factor = total / own if own > 0 and total > 0 else 1.0
        table.cells = table.cells * factor
        noise.append(table.noise * factor)
    return noise


def _shared(tables: Sequence[Told]) -> list[tuple[str, ...]]:
    """Which margins two tables have in common, the finest first."""
    found = {frozenset(a.keys) & frozenset(b.keys) for a, b in combinations(tables, 2)}
    return sorted((tuple(sorted(names)) for names in found if names), key=lambda names: (-len(names), names))


def _total(tables: Sequence[Told]) -> tuple[float, float]:
    """The total that all tell, by inverse variance, and the variance of its noise."""
    estimates, variances = zip(*(table.total for table in tables), strict=True)
    return _weighed(estimates, variances)


def _weighed(estimates: Sequence[float], variances: Sequence[float]) -> tuple[float, float]:
    precision = [1 / variance for variance in variances]
    return float(np.dot(precision, estimates)) / sum(precision), 1 / sum(precision)


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


def agree_means(
    coarse: Given, fine: Given, *, column: str, medians: Given | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means of the same rows by some keys, and by these and more. Where `medians` by the keys of the first are told as well
    (in a column of the same name), its means are drawn towards the straight line through them."""
    above, below = Told(coarse, column), Told(fine, column)
    order = [below.keys.index(key) for key in above.keys if key in below.keys]
    turned = np.moveaxis(below.cells, order, range(len(order)))
    if len(order) != len(above.keys) or turned.shape[: len(order)] != above.cells.shape:
        raise ValueError(say("models.other_keys"))
    groups = above.cells.size
    errors = np.moveaxis(below.errors, order, range(len(order))).reshape(groups, -1)
    told, doubts = above.cells.ravel(), above.errors.ravel()
    if medians is not None:
        beside = Told(medians, column)
        if beside.keys != above.keys or beside.cells.shape != above.cells.shape:
            raise ValueError(say("models.other_keys"))
        told, doubts = along(told, doubts, beside.cells.ravel())
    means, cells = around_means(told, doubts, turned.reshape(groups, -1), errors)
    back = np.moveaxis(cells.reshape(turned.shape), range(len(order)), order)
    return above.shown(means.reshape(above.cells.shape)), below.shown(back)


def resembling(answer: Given, *like: Given, column: str) -> pd.DataFrame:
    """A table towards the shares of others by the same keys, or by these and more: of some of the rows towards those of
    all, of what belongs to the rows (diagnoses) towards the rows themselves (visits). `like` are all of the same rows."""
    table, others = Told(answer, column), [Told(each, column) for each in like]
    if not all(_fits(table, other) for other in others):
        raise ValueError(say("models.other_keys"))
    total, _ = table.total
    if total <= 0 or any(float(other.cells.sum()) <= 0 for other in others):
        return table.shown(table.cells)
    (noise,), margins = _of_one_total([table]), _margins(others, _of_one_total(others, total), table.keys)
    own = table.cells.ravel()
    expected = seen_beside(margins, own, noise**2, table.weighed_away)
    tried = [(sure, *drawn(own, known)) for sure, known in expected]
    likelihoods = np.array([sure + likely for sure, likely, _ in tried])
    _, found = averaged(likelihoods, np.stack([cells for *_, cells in tried]))
    return table.shown(with_total(found, total).reshape(table.cells.shape))


def _fits(table: Told, other: Told) -> bool:
    return set(table.keys) <= set(other.keys) and other.margin(table.keys).shape == table.cells.shape


def each(mean: Given, *tables: Given, column: str, rows: str, persons: EstimateCard) -> pd.DataFrame:
    """The mean number of rows of a person (`column` of `mean`, without keys), and the same again: all rows, as `tables` tell
    them in their column `rows`, over the persons who have any, as a paid profile tells them (the card of a variable of
    that table). By inverse variance."""
    told = Told(mean, column)
    if told.cells.size != 1:
        raise ValueError(say("models.other_keys"))
    total, doubt = _total([Told(table, rows) for table in tables])
    spread = (persons.high - persons.low) / (2 * SURELY)
    if persons.value <= 0 or total <= 0:
        return told.shown(told.cells)
    rate = total / persons.value
    variance = rate**2 * (doubt / total**2 + (spread / persons.value) ** 2)
    agreed, _ = _weighed([float(told.cells), rate], [told.noise**2, variance])
    return told.shown(np.array(agreed))
