"""Do two keys of a table go together? A χ² test that knows of the noise.

Let x be the noisy cells of a two-way table, N its total and p, q the shares of rows and columns. The interaction Ax B′
with A = I − p1′ and B = I − q1′ is 0 on average when the keys are independent, and its covariance is then

    N (diag p − pp′) ⊗ (diag q − qq′)  +  σ² AA′ ⊗ BB′

the first part by chance, the second by noise. Its square in that metric is χ² with (r − 1)(c − 1) degrees of freedom;
without noise it is Pearson's statistic, and of Laplace noise its law is drawn (`simulated`). Pearson's own of noisy counts
rejects nearly always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domicile.models.distributions import chi_square_p
from domicile.models.nearest import Array, with_total
from domicile.models.simulated import laplace_p


@dataclass(frozen=True)
class Independence:
    """The statistic, its degrees of freedom, p, and Cramér's V: the strength of the association beyond what chance and
    noise make of none, between 0 and 1."""

    statistic: float
    freedom: int
    p: float
    cramers_v: float


NOTHING = Independence(0.0, 0, float("nan"), float("nan"))
"""Of fewer than two rows or columns there is nothing to say."""


def independence(cells: Array, noise: float, *, laplace: int = 0) -> Independence:
    """Of a two-way table of noisy counts, each with noise of that standard deviation: normal, or the sum of so many Laplace
    draws. Rows and columns of nobody are left out: noise alone has no share."""
    total = float(cells.sum())
    if total <= 0:
        return NOTHING
    rows, columns = (with_total(cells.sum(axis=a), total) / total for a in (1, 0))
    cells = cells[np.ix_(rows > 0, columns > 0)]
    rows, columns = rows[rows > 0], columns[columns > 0]
    freedom = (rows.size - 1) * (columns.size - 1)
    if not freedom:
        return NOTHING
    a, b = (np.eye(s.size) - np.outer(s, np.ones(s.size)) for s in (rows, columns))
    chance = total * np.kron(np.diag(rows) - np.outer(rows, rows), np.diag(columns) - np.outer(columns, columns))
    moved = noise * np.kron(a, b)
    free = [i * columns.size + j for i in range(rows.size - 1) for j in range(columns.size - 1)]
    beyond = (a @ cells @ b.T).ravel()[free]
    by_chance_alone: Array = np.asarray(chance[np.ix_(free, free)], dtype=np.float64)
    by_noise: Array = np.asarray(moved[free], dtype=np.float64)
    covariance = by_chance_alone + by_noise @ by_noise.T
    inverse, by_chance = (np.asarray(np.linalg.inv(c), dtype=np.float64) for c in (covariance, by_chance_alone))
    statistic = float(beyond @ inverse @ beyond)
    association = max(float(beyond @ by_chance @ beyond - np.trace(by_chance @ covariance)), 0.0)
    strength = float(np.sqrt(min(association / (total * (min(rows.size, columns.size) - 1)), 1.0)))
    if laplace:
        p = laplace_p(beyond, inverse, by_chance_alone, by_noise, freedom, of_each=laplace)
    else:
        p = chi_square_p(statistic, freedom)
    return Independence(statistic, freedom, p, strength)
