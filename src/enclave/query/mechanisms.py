"""Which noise, at what price, and does the sampler behave?

The only module that knows OpenDP, and of OpenDP only: the discrete Gaussian on vectors of int64 under l2, the discrete
Laplace on them under l1, on int64 scores under l∞ the exponential mechanism and, for pure ε, permute-and-flip, their privacy
maps, and the conversion of zCDP to (ε, δ). Prices are read from maps and rounded up against the spender, in nano-rho; of
Laplace and permute-and-flip in nano-epsilon.
Scales are whole numbers, at least 1, in units of 1/65536: there is no noiseless answer. Nothing takes a seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import opendp.prelude as dp

from enclave.errors import Incident

NANO = 10**9
DEAREST = 1_000 * NANO
"""ρ = 1000: far past any meaning; conversions beyond are not asked of OpenDP."""

EXACT_BELOW = 4_096
"""Scales up to this have their interval by summing the distribution itself."""

SELF_TEST_DRAWS = 20_000
SELF_TEST_SCALES = (3, 40)
"""One where every integer has its own bin, so that a hole in the lattice shows; one where the width and tails do."""

dp.enable_features("contrib")


@lru_cache(maxsize=4096)
def discrete_gaussian(scale: int) -> Any:
    """The measurement: int64 vector → int64 vector, saturating."""
    if scale < 1:
        raise ValueError("a scale is a whole number, at least 1")
    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float))
    return dp.m.make_gaussian(*space, scale=float(scale))


def noisy(vector: list[int], scale: int) -> list[int]:
    """The vector with discrete Gaussian noise."""
    made: list[int] = discrete_gaussian(scale)(vector)
    return made


@lru_cache(maxsize=4096)
def price(scale: int, sensitivity: int) -> int:
    """nano-rho of one draw at `scale` for an l2 `sensitivity`, from the privacy map, rounded up."""
    reach = float(sensitivity)
    if Fraction(reach) < sensitivity:
        reach = math.nextafter(reach, math.inf)
    return math.ceil(Fraction(discrete_gaussian(scale).map(reach)) * NANO)


@lru_cache(maxsize=4096)
def scale_for(rho: int, sensitivity: int, priced: Callable[[int, int], int] = price) -> int:
    """The smallest whole scale whose price is at most `rho` nano-rho; both mechanisms cost (sensitivity / scale)² / 2."""
    if rho < 1:
        raise ValueError("nothing is drawn for free")
    scale = max(1, math.isqrt(sensitivity * sensitivity * NANO // (2 * rho)))
    while priced(scale, sensitivity) > rho:
        scale += max(1, scale >> 48)
    return scale


@lru_cache(maxsize=4096)
def exponential(scale: int) -> Any:
    """The exponential mechanism: scores → the number of one, each as likely as exp(score / scale) says."""
    if scale < 1:
        raise ValueError("a scale is a whole number, at least 1")
    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64"))
    return dp.m.make_noisy_max(*space, dp.zero_concentrated_divergence(), scale=float(scale))


def chosen(scores: list[int], scale: int) -> int:
    """The number of one score, the higher the likelier."""
    return int(exponential(scale)(scores))


@lru_cache(maxsize=4096)
def price_of_choice(scale: int, sensitivity: int) -> int:
    """nano-rho of one choice whose scores move by at most `sensitivity`, from the privacy map, rounded up."""
    return math.ceil(Fraction(exponential(scale).map(sensitivity)) * NANO)


@lru_cache(maxsize=4096)
def discrete_laplace(scale: int) -> Any:
    """The measurement: int64 vector → int64 vector, saturating; P[x] ∝ exp(−|x| / scale)."""
    if scale < 1:
        raise ValueError("a scale is a whole number, at least 1")
    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"))
    return dp.m.make_laplace(*space, scale=float(scale))


def laplaced(vector: list[int], scale: int) -> list[int]:
    """The vector with discrete Laplace noise."""
    made: list[int] = discrete_laplace(scale)(vector)
    return made


@lru_cache(maxsize=4096)
def price_of_laplace(scale: int, sensitivity: int) -> int:
    """nano-epsilon of one draw at `scale` for an l1 `sensitivity`, from the privacy map, rounded up."""
    return math.ceil(Fraction(discrete_laplace(scale).map(sensitivity)) * NANO)


@lru_cache(maxsize=4096)
def permute_and_flip(scale: int) -> Any:
    """Scores → the number of the one that is highest once each has exponential noise of that scale: pure ε, and never a
    worse choice than the exponential mechanism's."""
    if scale < 1:
        raise ValueError("a scale is a whole number, at least 1")
    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64"))
    return dp.m.make_noisy_max(*space, dp.max_divergence(), scale=float(scale))


def flipped(scores: list[int], scale: int) -> int:
    """The number of one score, the higher the likelier, in pure ε."""
    return int(permute_and_flip(scale)(scores))


@lru_cache(maxsize=4096)
def price_of_flip(scale: int, sensitivity: int) -> int:
    """nano-epsilon of one such choice whose scores move by at most `sensitivity`, from the privacy map, rounded up."""
    return math.ceil(Fraction(permute_and_flip(scale).map(sensitivity)) * NANO)


@lru_cache(maxsize=4096)
def pure_scale_for(nano_epsilon: int, sensitivity: int, priced: Callable[[int, int], int] = price_of_laplace) -> int:
    """The smallest whole scale whose price is at most `nano_epsilon`; both mechanisms cost so much at 1, divided by it."""
    if nano_epsilon < 1:
        raise ValueError("nothing is drawn for free")
    scale = max(1, priced(1, sensitivity) // nano_epsilon)
    while priced(scale, sensitivity) > nano_epsilon:
        scale += max(1, scale >> 48)
    return scale


@lru_cache(maxsize=4096)
def laplace_radius(scale: int, miss: Fraction) -> int:
    """The smallest r with P[|noise| > r] ≤ `miss`, which is 2pʳ⁺¹ / (1 + p) with p = exp(−1 / scale); for large scales at
    most 1 + a 10⁻⁸ part larger than that."""
    reach = math.log(2 / (float(miss) * (1 + math.exp(-1 / scale))))
    if scale > EXACT_BELOW:
        return math.ceil(scale * reach * (1 + 1e-9))
    return max(0, math.ceil(scale * reach * (1 + 1e-12)) - 1)


def laplace_sum_radius(scale: int, weights: Sequence[tuple[int, int]], miss: Fraction) -> int:
    """r with P[|Σ wᵢ·noiseᵢ| > r] ≤ `miss`, for independent noise under (weight, how many of them).

    Chernoff: E exp(λ·noise) ≤ 1/(1 − λ²s²), so P ≤ 2·exp(−λr)·Π(1 − λ²s²wᵢ²)⁻¹ for every λ below 1/(s·max wᵢ). Taken is
    that of a normal law of the same variance, at most ¾ of the way: near the best, and any would hold."""
    log = math.log(2 / float(miss))
    spread = math.sqrt(2 * sum(w * w * count for w, count in weights))
    at = min(math.sqrt(2 * log) / spread, 0.75 / max(w for w, _ in weights))
    heavy = -sum(count * math.log1p(-((at * w) ** 2)) for w, count in weights)
    return math.ceil(scale * (log + heavy) / at * (1 + 1e-9))


def laplace_deviation(scale: int) -> float:
    """The standard deviation of discrete Laplace noise: √(2p) / (1 − p)."""
    return math.sqrt(2 * math.exp(-1 / scale)) / -math.expm1(-1 / scale)


@lru_cache(maxsize=1)
def _curve() -> Any:
    return dp.c.make_zCDP_to_approxDP(discrete_gaussian(1))


@lru_cache(maxsize=65536)
def epsilon_of(rho: int, delta: str) -> float:
    """ε at `delta` of `rho` nano-rho by OpenDP's conversion, never below it; 0 for 0."""
    if rho == 0:
        return 0.0
    if rho > DEAREST:
        return math.inf
    distance = math.sqrt(2 * rho / NANO)
    unit = discrete_gaussian(1)
    while Fraction(unit.map(distance)) * NANO < rho:
        distance = math.nextafter(distance, math.inf)
    epsilon: float = _curve().map(distance).epsilon(float(delta))
    return epsilon


@lru_cache(maxsize=4096)
def rho_for(epsilon: str, delta: str) -> int:
    """The largest whole nano-rho whose conversion at `delta` stays at or under `epsilon`; 0 when none does."""
    wanted = Fraction(epsilon)
    low, high = 0, 1
    guess = _naive_rho(float(wanted), float(delta))
    for step in (guess, 2 * guess, 8 * guess, 64 * guess, DEAREST):
        step = min(max(step, 1), DEAREST)
        if _fits(step, wanted, delta):
            low = max(low, step)
        else:
            high = step
            break
    else:
        return DEAREST
    return _bisected(low, high, wanted, delta)


def _fits(rho: int, wanted: Fraction, delta: str) -> bool:
    return Fraction(epsilon_of(rho, delta)) <= wanted


def _bisected(low: int, high: int, wanted: Fraction, delta: str) -> int:
    """Between one that fits (or 0) and one that does not: by secant while it pays, then by halves."""
    for turn in range(200):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if low and turn % 3 != 2:
            down, up = Fraction(epsilon_of(low, delta)), Fraction(epsilon_of(high, delta))
            share = (wanted - down) / (up - down) if up > down else Fraction(1, 2)
            nudge = -1 if turn % 3 else 1  # land on either side in turn, so that both ends move
            middle = min(max(low + int((high - low) * share) + nudge, low + 1), high - 1)
        low, high = (middle, high) if _fits(middle, wanted, delta) else (low, middle)
    return low


def _naive_rho(epsilon: float, delta: float) -> int:
    """ρ + 2√(ρ·ln 1/δ) = ε solved for ρ: always a little too small."""
    log = math.log(1 / delta)
    root = math.sqrt(log + epsilon) - math.sqrt(log)
    return int(root * root * NANO)


@lru_cache(maxsize=4096)
def noise_radius(scale: int, miss: Fraction) -> int:
    """The smallest r with P[|noise| > r] ≤ `miss`; for large scales at most 1 + a 10⁻⁶ part larger than that."""
    if scale > EXACT_BELOW:
        return math.ceil(NormalDist().inv_cdf(1 - float(miss) / 2) * scale * (1 + 1e-9)) + 1
    weights = [math.exp(-(i * i) / (2 * scale * scale)) for i in range(40 * scale)]
    whole = 2 * math.fsum(weights) - weights[0]
    inside, radius = weights[0], 0
    while inside < (1 - float(miss)) * whole:
        radius += 1
        inside += 2 * weights[radius]
    return radius


def self_test() -> None:
    """Draws enough to see a sampler that is broken, biased, or of the wrong width. Fails one good start in 10⁸."""
    for scale in SELF_TEST_SCALES:
        check_draws(noisy([0] * SELF_TEST_DRAWS, scale), scale)
        check_laplace(laplaced([0] * SELF_TEST_DRAWS, scale), scale)


def check_draws(draws: list[int], scale: int) -> None:
    """Mean, variance, and a chi-square over the lattice against the discrete Gaussian itself."""
    count = len(draws)
    far = NormalDist().inv_cdf(1 - 1e-9)
    if abs(sum(draws)) > far * scale * math.sqrt(count):
        raise Incident("query.sampler_broken", test="mean")
    spread = sum(d * d for d in draws) / (scale * scale)
    if abs(spread - count) > far * math.sqrt(2 * count):
        raise Incident("query.sampler_broken", test="variance")
    _check_lattice(
        draws, {i: math.exp(-(i * i) / (2 * scale * scale)) for i in range(-8 * scale, 8 * scale + 1)}, scale
    )


def check_laplace(draws: list[int], scale: int) -> None:
    """Mean, and a chi-square over the lattice, tails pooled, against the discrete Laplace itself."""
    far = NormalDist().inv_cdf(1 - 1e-9)
    if abs(sum(draws)) > far * laplace_deviation(scale) * math.sqrt(len(draws)):
        raise Incident("query.sampler_broken", test="mean")
    _check_lattice(draws, {i: math.exp(-abs(i) / scale) for i in range(-30 * scale, 30 * scale + 1)}, scale)


def _check_lattice(draws: list[int], weights: dict[int, float], scale: int) -> None:
    count, far = len(draws), NormalDist().inv_cdf(1 - 1e-9)
    whole, width = math.fsum(weights.values()), max(1, scale // 4)
    expected: dict[int, float] = {}
    seen: dict[int, int] = {}
    last = 10  # bins beyond ± 2.5 scales are pooled
    for i, weight in weights.items():
        at = max(-last, min(last, i // width))
        expected[at] = expected.get(at, 0.0) + count * weight / whole
    for draw in draws:
        at = max(-last, min(last, draw // width))
        seen[at] = seen.get(at, 0) + 1
    chi = sum((seen.get(at, 0) - e) ** 2 / e for at, e in expected.items())
    free = len(expected) - 1
    if chi > free + far * math.sqrt(2 * free) + 2 * far * far:
        raise Incident("query.sampler_broken", test="chi-square")
