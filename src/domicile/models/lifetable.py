"""How many live on past each interval, and how sure is that?

A life table counts, for each public interval, the persons whose event fell into it and those who were last seen in it;
who lives past the last interval stands in a cell beyond. With d events, c last seen and N still there at the start of
interval i, Rᵢ = Nᵢ − κcᵢ are at risk and S(tᵢ) = Π (1 − dᵢ/Rᵢ). Intervals wider than one unit count those last seen for
half of it (κ = ½, the actuarial estimate of Berkson and Gage 1950); of one unit, not less (κ = 0, Kaplan and Meier
1958).

Every cell carries the same independent noise σ. Cells are brought to what counts can be, events and last seen each
keeping their total; then, to first order,

    sampling  Var log S(tᵢ) = Σ dⱼ/(Rⱼ(Rⱼ − dⱼ))           (Greenwood 1926)
    noise     Var log S(tᵢ) = σ² Σ over cells of (∂ log S(tᵢ)/∂ cell)²

and both are added. The interval is that of log(−log S), which stays between 0 and 1. Where the number at risk does not
stand clear of its noise there is no more to say than that S lies between 0 and the last upper end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domicile.models.nearest import Array, kept

CLEAR = 2.0
"""A number at risk is said when it is this many standard deviations of its noise."""


@dataclass(frozen=True)
class LifeTable:
    """One group: events in each interval, last seen in each, and how many live on beyond all of them. `noise` is the
    standard deviation of a cell (of `beyond` it is √2 of it), `kappa` how much of their interval those last seen in
    it miss."""

    events: Array
    censored: Array
    beyond: float
    noise: float
    kappa: float
    laplace: bool = False
    """In pure ε that noise is Laplace."""

    @classmethod
    def of(cls, events: Array, censored: Array, noise: float, kappa: float, *, laplace: bool = False) -> LifeTable:
        """From noisy cells, the last of each beyond all intervals: an event there is none yet."""
        left = kept(np.append(censored[:-1], events[-1] + censored[-1]))
        return cls(kept(events[:-1]), left[:-1], float(left[-1]), noise, kappa, laplace)

    @property
    def entering(self) -> Array:
        """N: who is still there at the start of each interval."""
        there: Array = np.cumsum((self.events + self.censored)[::-1])[::-1] + self.beyond
        return there

    @property
    def at_risk(self) -> Array:
        risk: Array = self.entering - self.kappa * self.censored
        return risk

    @property
    def entering_noise(self) -> Array:
        """Standard deviation of the noise of N: of all cells from there on."""
        noise: Array = self.noise * np.sqrt(2.0 * np.arange(self.events.size + 1, 1, -1))
        return noise


@dataclass(frozen=True)
class Curve:
    """S at the end of each interval, the standard deviations of S by noise and by sampling, and its interval. Where
    there is nothing to say the deviations are NaN and the interval reaches from 0 to the last upper end."""

    survival: Array
    noise: Array
    sampling: Array
    low: Array
    high: Array


def curve(life: LifeTable, quantile: float) -> Curve:
    """The survival curve; its interval reaches `quantile` standard deviations to each side."""
    risk, events = life.at_risk, life.events
    left = np.maximum(risk - events, 0.0)
    clear = np.logical_and.accumulate((left > 0) & (risk > CLEAR * life.entering_noise))
    steps = np.where(clear, events / np.where(clear, risk * left, 1.0), 0.0)
    lived: Array = np.where(risk > 0, left / np.where(risk > 0, risk, 1.0), 0.0)
    survival = np.multiply.accumulate(lived)
    noise = np.where(clear, life.noise * np.sqrt(_squares(life, risk, steps)), np.nan)
    sampling = np.where(clear, np.sqrt(np.cumsum(steps)), np.nan)
    low, high = _ends(survival, quantile * np.hypot(noise, sampling))
    first = int(np.argmin(clear)) if not clear.all() else clear.size
    low[first:], high[first:] = 0.0, (high[first - 1] if first else 1.0)
    return Curve(survival, survival * noise, survival * sampling, low, high)


def _squares(life: LifeTable, risk: Array, steps: Array) -> Array:
    """Σ over cells of (∂ log S(tᵢ)/∂ cell)², for each i. A cell of interval k raises the number at risk up to k, and is
    the event, or is missed, in k itself."""
    count = steps.size
    sums = np.append(0.0, np.cumsum(steps))
    cell = np.arange(count)
    before = sums[np.minimum.outer(cell + 1, cell)]
    within = cell[None, :] <= cell[:, None]
    event = before - within / np.where(risk > 0, risk, np.inf)
    censored = before + within * (1 - life.kappa) * steps
    beyond = 2 * sums[1:] ** 2
    total: Array = (event**2).sum(axis=1) + (censored**2).sum(axis=1) + beyond
    return total


_FURTHEST = 700.0
"""Beyond it a double's exponential overflows; the interval is all of (0, 1) long before."""


def _ends(survival: Array, reach: Array) -> tuple[Array, Array]:
    """The interval of log(−log S); of log S where nothing has happened yet."""
    some = (survival > 0) & (survival < 1)
    logs = np.log(np.where(some, survival, 0.5))
    power = np.exp(np.minimum(np.where(some, reach, 0.0) / -logs, _FURTHEST))
    low = np.where(some, np.exp(logs * power), survival * np.exp(-reach))
    high = np.where(some, np.exp(logs / power), survival)
    return low, high
