"""Which line fits, and how sure is each coefficient?

With A = X′X and b = X′y as noise left them, β̂ = A⁻¹b. To first order the noise of entry e, which stands in A as Eₑ and
in b as fₑ, moves it by A⁻¹(fₑ − Eₑβ̂), so that

    noise     σ² Σₑ A⁻¹(fₑ − Eₑβ̂)(fₑ − Eₑβ̂)′A⁻¹
    sampling  s² A⁻¹, s² = RSS / (n − p)              (rows independent, errors of one size)

and both are added. That holds while noise is small beside A in every direction: κ² = σ² Σₑ tr((A⁻¹Eₑ)²) is the expected
square of the relative change of A. Above ½, or where A has a direction that is not positive, no coefficient means
anything and none is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domicile.models.gram import Gram, Place, Slot, pairs
from domicile.models.nearest import Array

MOST_CHANGE = 0.5
"""κ beyond which first order does not hold: in simulations intervals cover as they say up to here."""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard deviations by noise and by sampling."""

    value: float
    noise: float
    sampling: float


@dataclass(frozen=True)
class Line:
    """β in the units of the slots with its two covariances; how many rows there are, how much of the outcome's
    variation the line explains, and how far the outcome lies from it."""

    beta: Array
    noise: Array
    sampling: Array
    rows: Estimate
    explained: Estimate
    residual: Estimate


def fitted(gram: Gram, on: Sequence[Slot], outcome: Slot) -> Line | float:
    """The line of `outcome` on `on` (the 1 first), or κ where there is none to give."""
    size = len(on)
    whole, places = gram.matrix([*on, outcome]), list(gram.places([*on, outcome]).values())
    a, b = whole[:size, :size], whole[:size, size]
    if float(np.linalg.eigvalsh(a)[0]) <= 0:
        return float("inf")
    inverse = np.asarray(np.linalg.inv(a), dtype=np.float64)
    change = gram.noise * float(np.sqrt(sum(_change(inverse, p, size) for p in places)))
    if change > MOST_CHANGE:
        return change
    beta: Array = inverse @ b
    moved = np.array([_moved(p, beta) for p in places]) @ inverse
    about_line, about_mean = np.append(-beta, 1.0), np.zeros(size + 1)
    about_mean[0], about_mean[size] = -whole[0, size] / whole[0, 0], 1.0
    left, all_of_it = float(about_line @ whole @ about_line), float(about_mean @ whole @ about_mean)
    by_line, by_mean = (np.array([_square(p, t) for p in places]) for t in (about_line, about_mean))
    rows = float(whole[0, 0])
    variance = max(left, 0.0) / max(rows - size, 1.0)
    return Line(
        beta,
        gram.noise**2 * (moved.T @ moved),
        variance * inverse,
        Estimate(rows, gram.noise, 0.0),
        _explained(left, all_of_it, gram.noise, by_line, by_mean, rows),
        _residual(variance, gram.noise * float(np.linalg.norm(by_line)) / max(rows - size, 1.0), rows),
    )


def _change(inverse: Array, places: Sequence[Place], size: int) -> float:
    """tr((A⁻¹E)²), E where the entry stands in A."""
    inside = [p for p in pairs(places) if p[0] < size and p[1] < size]
    return float(sum(v * w * inverse[j, k] * inverse[m, i] for i, j, v in inside for k, m, w in inside))


def _moved(places: Sequence[Place], beta: Array) -> Array:
    """f − Eβ."""
    moved = np.zeros_like(beta)
    for i, j, times in pairs(places):
        if i < beta.size:
            moved[i] += times if j == beta.size else -times * beta[j]
    return moved


def _square(places: Sequence[Place], t: Array) -> float:
    """t′Et: by how much the entry moves the sum of squares of that combination of slots."""
    return float(sum(times * t[i] * t[j] for i, j, times in pairs(places)))


def _explained(left: float, whole: float, noise: float, by_line: Array, by_mean: Array, rows: float) -> Estimate:
    """R² = 1 − RSS/TSS."""
    if whole <= 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    share = min(max(1 - left / whole, 0.0), 1.0)
    moved = noise * float(np.linalg.norm(left / whole**2 * by_mean - by_line / whole))
    return Estimate(share, moved, 2 * float(np.sqrt(share)) * (1 - share) / float(np.sqrt(rows)))


def _residual(variance: float, noise: float, rows: float) -> Estimate:
    """s, from s² and the noise of s²."""
    s = float(np.sqrt(variance))
    return Estimate(s, noise / (2 * s) if s > 0 else float(np.sqrt(noise)), s / float(np.sqrt(2 * rows)))
