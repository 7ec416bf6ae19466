"""Do groups live on equally long? The log-rank test of noisy life tables.

In interval i group g has Rᵍᵢ at risk and dᵍᵢ events. U_g = Σ (dᵍᵢ − Rᵍᵢ dᵢ/Rᵢ) is what happened beyond what was to be
expected; by chance alone its covariance is V, the hypergeometric one (Mantel 1966), and noise adds W = σ² J Jᵀ, J the
derivatives of U by every cell. U′(V + W)⁻¹U is χ² with one degree of freedom less than groups (of Laplace noise its law
is drawn: `simulated`). Without W a test of noisy counts finds differences that are not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domicile.models.distributions import chi_square_p
from domicile.models.lifetable import LifeTable
from domicile.models.nearest import Array
from domicile.models.simulated import laplace_p


@dataclass(frozen=True)
class Score:
    """U for each group, how many events were observed and expected, V, and J·σ: by how much a standard deviation of the
    noise of each cell moves U."""

    observed: Array
    expected: Array
    sampling: Array
    moved: Array
    laplace: bool = False

    @property
    def noise(self) -> Array:
        """W."""
        return self.moved @ self.moved.T

    @property
    def _surplus(self) -> Array:
        return (self.observed - self.expected)[:-1]

    @property
    def _inverse(self) -> Array:
        found = np.linalg.pinv((self.sampling + self.noise)[:-1, :-1], hermitian=True)
        return np.asarray(found, dtype=np.float64)

    @property
    def statistic(self) -> float:
        return float(self._surplus @ self._inverse @ self._surplus)

    @property
    def freedom(self) -> int:
        return self.observed.size - 1

    @property
    def p(self) -> float:
        if not self.laplace:
            return chi_square_p(self.statistic, self.freedom)
        return laplace_p(self._surplus, self._inverse, self.sampling[:-1, :-1], self.moved[:-1], self.freedom)


def score(groups: Sequence[LifeTable]) -> Score:
    """Of two groups or more over the same intervals."""
    events, risk = np.array([g.events for g in groups]), np.array([g.at_risk for g in groups])
    happened, there = events.sum(axis=0), risk.sum(axis=0)
    counted = there > 1
    safe = np.where(counted, there, 1.0)
    rate, share = np.where(counted, happened / safe, 0.0), np.where(counted, risk / safe, 0.0)
    chance = happened * np.clip(1 - rate, 0, 1) * np.where(counted, there / np.maximum(there - 1, 1e-9), 0.0)
    sampling = np.diag((share * chance).sum(axis=1)) - (share * chance) @ share.T
    moved = _derivatives(groups, rate, share, counted)
    noise = np.array([g.noise for g in groups])
    weighed = (moved * noise[None, :, None]).reshape(len(groups), -1)
    expected: Array = (share * happened).sum(axis=1)
    laplace = any(g.laplace for g in groups)
    return Score(np.where(counted, events, 0.0).sum(axis=1), expected, sampling, weighed, laplace)


def _derivatives(
    groups: Sequence[LifeTable], rate: Array, share: Array, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Array:
    """∂U_g by each event and each last-seen cell of group h. The cell beyond all intervals stands twice: its noise is
    √2."""
    same = np.eye(len(groups))
    by_risk = (same[:, :, None] - share[:, None, :]) * rate * counted
    so_far = np.cumsum(by_risk, axis=2)
    kappa = np.array([g.kappa for g in groups])[None, :, None]
    events = (same[:, :, None] - share[:, None, :]) * counted - so_far
    censored = kappa * by_risk - so_far
    beyond = -so_far[:, :, -1:]
    moved: Array = np.concatenate([events, censored, beyond, beyond], axis=2)
    return moved


def hazard_ratio(one: LifeTable, other: LifeTable) -> tuple[float, float, float]:
    """log of the hazard of `other` over that of `one` (Peto: U/V), and its standard deviations by noise and by
    sampling."""
    found = score([other, one])
    surplus, chance = (found.observed - found.expected)[0], float(found.sampling[0, 0])
    if chance <= 0:
        return float("nan"), float("nan"), float("nan")
    return surplus / chance, float(np.sqrt(found.noise[0, 0])) / chance, 1 / float(np.sqrt(chance))
