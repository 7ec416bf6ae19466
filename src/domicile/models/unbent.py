"""What is a margin that several tables tell, each bent by a clip of its own?

A clip takes some groups' rows more than others': of a table that lost the share L of everything, a margin m is off by
m·b·L, where b is the group's own and much the same in every table. Tables under small clips have little noise and are bent
much, those under large clips the other way round, so together they show which way a group is bent and where it would
stand at L = 0. Estimated by generalised least squares with

    cov(i, j) = noise²·[i = j] + m²·u²·(LᵢLⱼ + (Lᵢ/2)²·[i = j])

the second term in the brackets for what does not grow in a straight line. Nobody knows u, how uneven clips are here: each
that is tried counts by how likely it makes the tables (restricted likelihood, margins taken out). One table alone, or
tables that lost nothing, come down on inverse variances.

Sums are bent by how dear a row is: who has a dear row has a longer norm by it, so groups of dear rows are weighed down more,
to first order by as much more as their rows are dearer. Where somebody tells how many rows each group has, b is β·x + the
group's own, x being the mean of a row over that of all, less the mean of x; β is one number for all groups, and either 0 or,
before the tables are read, hardly more than 1 either way.

And a table of other rows of the same persons may be bent by the same b: `seen_beside` says what it would tell under its
own clip, so bent or not, if its groups had the same shares.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from domicile.models.likelier import Expected, averaged
from domicile.models.nearest import Array

UNEVEN = 2.0 ** -np.arange(9)
"""Values of u that are tried."""

CURVED = 1 / 4
"""(1/2)²: of the variance of b, what each table has to itself."""

DEAREST = 30.0
"""A group whose rows seem dearer by so much, or cheaper, has too few to say."""


@dataclass(frozen=True)
class Margins:
    """One margin in several tables: numbers (groups × tables), the variance of the noise of one in each table, the share
    each table lost."""

    told: Array
    variances: Array
    lost: Array

    @classmethod
    def of(cls, margins: Sequence[Array], variances: Sequence[float], lost: Sequence[float]) -> Margins:
        return cls(np.stack([margin.ravel() for margin in margins], axis=1), np.array(variances), np.array(lost))

    @cached_property
    def size(self) -> Array:
        found: Array = np.maximum(self.told.mean(axis=1), 0.0)
        return found

    def under(self, uneven: float, dear: Array | None = None) -> _Fit:
        own = CURVED * np.diag(self.lost**2)
        bend = (uneven * self.size)[:, None, None] ** 2 * (np.outer(self.lost, self.lost) + own)
        return _Fit(self, np.diag(self.variances) + bend, dear)


class _Fit:
    """The margin under one covariance of the tables, and how likely that makes them."""

    def __init__(self, tables: Margins, covariances: Array, dear: Array | None) -> None:
        self.precise = np.linalg.inv(covariances)
        self.weights = self.precise.sum(axis=2)
        self.sure = self.weights.sum(axis=1)
        self.likelihood = -0.5 * float((np.linalg.slogdet(covariances)[1] + np.log(self.sure)).sum())
        told = tables.told
        if dear is not None:
            told = told - self._slope(told, (tables.size * dear)[:, None] * tables.lost)
        self.margin: Array = (self.weights * told).sum(axis=1) / self.sure
        self.off: Array = told - self.margin[:, None]
        self.likelihood -= 0.5 * float(np.einsum("ci,cij,cj->", self.off, self.precise, self.off))

    def _slope(self, told: Array, along: Array) -> Array:
        """What β bends: `along` are the derivatives of the numbers by it. Its own likelihood is added."""
        free = self.precise - np.einsum("ci,cj->cij", self.weights, self.weights) / self.sure[:, None, None]
        known = 1.0 + float(np.einsum("ci,cij,cj->", along, free, along))
        beta = float(np.einsum("ci,cij,cj->", along, free, told)) / known
        self.likelihood -= 0.5 * (math.log(known) + beta**2)
        bent: Array = beta * along
        return bent


def unbent(tables: Margins, rows: Array | None = None) -> Array:
    """The margin without a clip, group by group. `rows` of each group, where somebody tells them: of sums."""
    shapes = [None] if rows is None else [None, _dearer(tables.size, rows)]
    fits = [tables.under(float(u), dear) for u in UNEVEN for dear in shapes]
    return averaged(np.array([fit.likelihood for fit in fits]), np.stack([fit.margin for fit in fits]))[1]


def _dearer(sums: Array, rows: Array) -> Array:
    """x of each group; 0 where there are no rows to speak of."""
    some = (rows > 0) & (sums > 0)
    whole = float(sums[some].sum())
    if whole <= 0:
        return np.zeros_like(sums)
    mean = sums / np.where(some, rows, 1.0) * (float(rows[some].sum()) / whole)
    mean = np.clip(mean, 1 / DEAREST, DEAREST)
    return np.where(some, mean - float((sums * mean)[some].sum()) / whole, 0.0)


def seen_beside(tables: Margins, own: Array, variance: float, lost: float) -> Iterator[tuple[float, Expected]]:
    """For every u: how likely the tables are, and what is expected of one more, `own`, with such noise, that lost such a
    share; and the same if it is not bent as they are. Bends go with its own numbers, which may be quite others."""
    for uneven, same in product(UNEVEN, (True, False)):
        fit = tables.under(float(uneven))
        bend = uneven * np.maximum(own, 0.0) * lost * same
        common = (bend * uneven * tables.size)[:, None] * tables.lost
        taken = np.einsum("cij,cj->ci", fit.precise, common)
        known = taken.sum(axis=1)
        doubt = (1 - known) / fit.sure
        yield (
            fit.likelihood,
            Expected(
                fit.margin,
                fit.margin + (taken * fit.off).sum(axis=1),
                variance + bend**2 * (1 + CURVED) - (taken * common).sum(axis=1) + (1 - known) * doubt,
                doubt,
            ),
        )
