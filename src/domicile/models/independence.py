"""Do two keys of a table go together? A χ² test that knows of the noise.

Let x be the noisy cells of a two-way table, N its total and p, q the shares of rows and columns. The interaction Ax B′
with A = I − p1′ and B = I − q1′ is 0 on average when the keys are independent, and its covariance is then

    N (diag p − pp′) ⊗ (diag q − qq′)  +  σ² AA′ ⊗ BB′

the first part by chance, the second by noise. Its square in that metric is χ² with (r − 1)(c − 1) degrees of freedom;
without noise it is Pearson's statistic. Pearson's own of noisy counts rejects nearly always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domicile.models.distributions import chi_square_p
from domicile.models.nearest import Array, with_total


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


def independence(cells: Array, noise: float) -> Independence:
    """Of a two-way table of noisy counts, each with noise of that standard deviation. Rows and columns of nobody are
    left out: noise alone has no share."""
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
    told = np.kron(a @ a.T, b @ b.T)
    free = [i * columns.size + j for i in range(rows.size - 1) for j in range(columns.size - 1)]
    beyond = (a @ cells @ b.T).ravel()[free]
    covariance = (chance + noise**2 * told)[np.ix_(free, free)]
    statistic = float(beyond @ np.linalg.solve(covariance, beyond))
    by_chance = np.linalg.inv(chance[np.ix_(free, free)])
    association = max(float(beyond @ by_chance @ beyond - np.trace(by_chance @ covariance)), 0.0)
    strength = float(np.sqrt(min(association / (total * (min(rows.size, columns.size) - 1)), 1.0)))
    return Independence(statistic, freedom, chi_square_p(statistic, freedom), strength)
