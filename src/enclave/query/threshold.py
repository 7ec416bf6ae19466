"""From which noisy count of persons on may a key that nobody lists be told?

A person may be the only one to bring K keys, each counted once. Such keys must stay unseen but for a chance of δ:

    δ = 1 − (1 − P[N ≥ t])^K        N the discrete Gaussian of the counts, t the threshold less one person

(design §4). Nothing is taken off for weights or for counts that share a norm: every key of the K counts in full. The tail
is bounded from above in decimals of 40 digits, each step rounded outwards:

    Σ_{x ≥ t} e^(−x²/2σ²) ≤ (1 + σ·M(t/σ)) · e^(−t²/2σ²)      the first term, and an integral for the others
    M(y) = (1 − Φ(y)) / φ(y) ≤ 4 / (3y + √(y² + 8))             Sampford 1953
    Σ_{x ∈ ℤ} e^(−x²/2σ²) ≥ σ·√(2π)                              Poisson summation

so what is charged is never below the δ of the draw; it exceeds it by some ten-thousandths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import lru_cache
from statistics import NormalDist

from enclave.catalogue.dataset import WEIGHT_ONE

ATTO = 10**18
UP, DOWN = Context(prec=40, rounding=ROUND_CEILING), Context(prec=40, rounding=ROUND_FLOOR)
ROOT_OF_TWO_PI = Decimal("2.506628274631000502415765284811045253")
"""√(2π), cut off: from below."""

ONE = Decimal(1)


@dataclass(frozen=True)
class Threshold:
    """A key is told when its noisy count, in 1/65536 of a person, is `least` or more; the draw costs `atto_delta`."""

    least: int
    atto_delta: int


def tail(scale: int, least: int) -> Decimal:
    """No less than P[N ≥ least] for the discrete Gaussian of that scale; `least` ≥ 0."""
    scale = int(float(scale))  # as the kernel takes it
    sigma, t = Decimal(scale), Decimal(least)
    y = DOWN.divide(t, sigma)
    square = DOWN.multiply(y, y)
    falling = UP.next_plus(UP.exp(DOWN.divide(square, 2).copy_negate()))  # exp rounds to the nearest
    root = DOWN.next_minus(DOWN.sqrt(DOWN.add(square, 8)))  # so does the root
    mills = UP.divide(4, DOWN.add(DOWN.multiply(3, y), root))
    terms = UP.multiply(falling, UP.add(1, UP.multiply(sigma, mills)))
    return min(ONE, UP.divide(terms, DOWN.multiply(sigma, ROOT_OF_TWO_PI)))


def atto_delta(scale: int, least: int, keys: int) -> int:
    """No less than the chance, in 10⁻¹⁸, that any of `keys` counts of one person each is told at one person + `least`."""
    unseen, power = DOWN.subtract(1, tail(scale, least)), ONE
    while keys:
        power = DOWN.multiply(power, unseen) if keys % 2 else power
        unseen, keys = DOWN.multiply(unseen, unseen), keys // 2
    told = UP.multiply(UP.subtract(1, power), ATTO)
    return int(told.to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=4096)
def threshold(scale: int, keys: int, delta: str) -> Threshold:
    """The least threshold, to a millionth of the scale, that costs at most `delta` (a decimal text of 10⁻¹⁸ or more)."""
    most = int(Decimal(delta) * ATTO)
    if most < 1:
        raise ValueError("a δ below the smallest unit of the ledger buys nothing")
    of_one = -math.expm1(math.log1p(-float(delta)) / keys)
    least = int(-NormalDist().inv_cdf(of_one) * scale)
    while (costs := atto_delta(scale, least, keys)) > most:
        least += max(1, scale // 10**6)
    return Threshold(WEIGHT_ONE + least, costs)
