"""What is a margin that several tables tell, each bent by a clip of its own?

A clip takes some groups' rows more than others': of a table that lost the share L of everything, a margin m is off by
m·b·L, where b is the group's own and much the same in every table. Tables under small clips have little noise and are bent
much, those under large clips the other way round, so together they show which way a group is bent and where it would
stand at L = 0. Estimated by generalised least squares with

    cov(i, j) = noise²·[i = j] + m²·u²·(LᵢLⱼ + (Lᵢ/2)²·[i = j])

the second term in the brackets for what does not grow in a straight line. Nobody knows u, how uneven clips are here; it is
the one under which the tables are likeliest (restricted likelihood, margins taken out; a grid is tried). One table alone,
or tables that lost nothing, come down on inverse variances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domicile.models.nearest import Array

UNEVEN = 2.0 ** -np.arange(9)
"""Values of u that are tried."""

CURVED = 1 / 4
"""(1/2)²: of the variance of b, what each table has to itself."""


def unbent(margins: Sequence[Array], variances: Sequence[float], lost: Sequence[float]) -> Array:
    """The margin without a clip: of each table its own, the variance of the noise of one number, the share it lost."""
    told = np.stack([margin.ravel() for margin in margins], axis=1)
    size, away = told.mean(axis=1) ** 2, np.array(lost)
    bend = np.outer(away, away) + CURVED * np.diag(away**2)
    tried = [_estimated(told, np.diag(variances) + u**2 * size[:, None, None] * bend) for u in UNEVEN]
    likely = max(tried, key=lambda found: found[0])
    return likely[1].reshape(margins[0].shape)


def _estimated(told: Array, covariances: Array) -> tuple[float, Array]:
    """The restricted log-likelihood of all numbers, and their estimates."""
    precise = np.linalg.inv(covariances)
    weights = precise.sum(axis=2)
    sure = weights.sum(axis=1)
    found: Array = (weights * told).sum(axis=1) / sure
    off = told - found[:, None]
    squares = np.einsum("ci,cij,cj->c", off, precise, off)
    return -0.5 * float((np.linalg.slogdet(covariances)[1] + np.log(sure) + squares).sum()), found
