"""What is drawn for one mechanism, at which scale and price?

Each takes the smallest whole scale whose OpenDP price fits its share of what the question may cost. From price and tally
alone: no connection can be reached from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from enclave.errors import Refused
from enclave.query import mechanisms
from enclave.query.pure import rho_of
from enclave.query.tally import Style, Tally
from enclave.query.threshold import Threshold, threshold

COARSEST = 2**62
"""No scale beyond: the noise itself would saturate."""

Mechanism = Literal["discrete_gaussian", "exponential", "thresholded_gaussian", "discrete_laplace", "permute_and_flip"]


@dataclass(frozen=True)
class Draw:
    """One mechanism of a question: its tally, the scale of its noise in 1/65536, its price in nano-rho."""

    tally: Tally
    scale: int
    rho: int
    threshold: Threshold | None = None
    """Where values of an unlisted key are found by it: from when on one is told, and at which δ."""
    nano_epsilon: int = 0
    """Its price in pure ε, where that is counted: it is Laplace noise, or a choice by permute-and-flip."""

    @property
    def deviation(self) -> float:
        """The standard deviation of its noise, in 1/65536; of a choice the scale of its scores."""
        return mechanisms.laplace_deviation(self.scale) if self.mechanism == "discrete_laplace" else float(self.scale)

    def radius(self, miss: Fraction) -> int:
        """How far its noise reaches in all but `miss` of the draws, in 1/65536."""
        return (mechanisms.laplace_radius if self.nano_epsilon else mechanisms.noise_radius)(self.scale, miss)

    @property
    def mechanism(self) -> Mechanism:
        if self.nano_epsilon:
            return "discrete_laplace" if self.tally.side is None else "permute_and_flip"
        if self.threshold:
            return "thresholded_gaussian"
        return "discrete_gaussian" if self.tally.side is None else "exponential"


def gaussian(tally: Tally, share: int, epsilon: str, delta: str, count: int) -> Draw:
    """At the smallest whole scale whose price in nano-rho fits the share: Gaussian noise, or a choice."""
    scale = mechanisms.scale_for(share, tally.sensitivity, _of_rho(tally)) if share else COARSEST + 1
    if scale > COARSEST:
        raise Refused("query.epsilon_too_small", epsilon=epsilon, delta=delta, mechanisms=count)
    return at_scale(tally, scale, pure=False)


def at_scale(tally: Tally, scale: int, *, pure: bool) -> Draw:
    """Noise of a scale that is given, at its price: Gaussian, or Laplace where pure ε is counted; or a choice."""
    if not pure:
        return Draw(tally, scale, _of_rho(tally)(scale, tally.sensitivity))
    spent = _of_epsilon(tally)(scale, tally.sensitivity)
    return Draw(tally, scale, rho_of(spent), nano_epsilon=spent)


def _of_rho(tally: Tally) -> Callable[[int, int], int]:
    return mechanisms.price if tally.side is None else mechanisms.price_of_choice


def _of_epsilon(tally: Tally) -> Callable[[int, int], int]:
    return mechanisms.price_of_laplace if tally.side is None else mechanisms.price_of_flip


def purely(tally: Tally, share: int, epsilon: str, count: int) -> Draw:
    """The same in nano-epsilon: Laplace noise, or a choice."""
    scale = mechanisms.pure_scale_for(share, tally.sensitivity, _of_epsilon(tally)) if share else COARSEST + 1
    if scale > COARSEST:
        raise Refused("query.epsilon_too_small", epsilon=epsilon, delta="0", mechanisms=count)
    return at_scale(tally, scale, pure=True)


def thresholded(draw: Draw, delta: str) -> Draw:
    """The draw that finds values of an unlisted key, with its threshold; any other as it is."""
    if draw.tally.style is not Style.KEYS:
        return draw
    return replace(draw, threshold=threshold(draw.scale, draw.tally.votes, delta))
