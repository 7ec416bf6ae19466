"""Prices against an independent formula, intervals against the distribution, and a sampler that must misbehave to fail."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from enclave.errors import Incident
from enclave.query import mechanisms


@pytest.mark.parametrize("rho", [1_000, 24_300_000, 10**9, 10**12])
@pytest.mark.parametrize("sensitivity", [65_536, 65_536 * 100, 65_536 * 5_000_000 * 200])
def test_the_scale_is_the_smallest_whole_one_that_fits(rho: int, sensitivity: int) -> None:
    scale = mechanisms.scale_for(rho, sensitivity)
    paid = mechanisms.price(scale, sensitivity)
    assert paid <= rho
    exact = Fraction(sensitivity) ** 2 / (2 * Fraction(scale) ** 2) * 10**9
    assert exact <= paid <= exact * (1 + Fraction(1, 10**12)) + 1
    assert scale == 1 or Fraction(sensitivity) ** 2 / (2 * Fraction(scale - max(2, scale >> 40)) ** 2) * 10**9 > rho


def test_a_sensitivity_beyond_doubles_is_rounded_up() -> None:
    assert mechanisms.price(2**60, 2**60 + 1) >= mechanisms.price(2**60, 2**60)
    assert Fraction(mechanisms.price(2**60, 2**60 + 1), 10**9) >= Fraction(2**60 + 1, 2**60) ** 2 / 2


@pytest.mark.parametrize("epsilon", ["0.001", "0.1", "0.3", "1", "3.7", "20", "1000"])
@pytest.mark.parametrize("delta", ["1e-6", "1e-9"])
def test_rho_is_the_largest_that_stays_at_or_under_epsilon(epsilon: str, delta: str) -> None:
    rho = mechanisms.rho_for(epsilon, delta)
    assert Fraction(mechanisms.epsilon_of(rho, delta)) <= Fraction(epsilon)
    assert Fraction(mechanisms.epsilon_of(rho + 1, delta)) > Fraction(epsilon)


def test_the_conversion_is_below_the_naive_one_and_above_the_gaussian_optimum() -> None:
    """ρ = 0.05 at δ = 1e-6: 1.368 by privacy loss distribution, 1.472 by OpenDP, 1.712 naive."""
    epsilon = mechanisms.epsilon_of(50_000_000, "1e-6")
    assert 1.368 < epsilon < 0.05 + 2 * math.sqrt(0.05 * math.log(1e6))
    assert epsilon == pytest.approx(1.472, abs=0.001)


def test_the_ends_of_the_scale() -> None:
    assert mechanisms.epsilon_of(0, "1e-6") == 0.0
    assert mechanisms.rho_for("0.000000001", "1e-6") == 0
    assert mechanisms.epsilon_of(mechanisms.DEAREST + 1, "1e-6") == math.inf
    with pytest.raises(ValueError, match="free"):
        mechanisms.scale_for(0, 1)
    with pytest.raises(ValueError, match="at least 1"):
        mechanisms.discrete_gaussian(0)


@pytest.mark.parametrize("scale", [1, 2, 5, 40])
def test_the_noise_radius_is_exact(scale: int) -> None:
    weights = {i: math.exp(-(i * i) / (2 * scale * scale)) for i in range(-50 * scale, 50 * scale + 1)}
    whole = math.fsum(weights.values())

    def inside(radius: int) -> float:
        return math.fsum(w for i, w in weights.items() if abs(i) <= radius) / whole

    radius = mechanisms.noise_radius(scale, Fraction(1, 20))
    assert inside(radius) >= 0.95 > inside(radius - 1)


def test_the_radius_of_large_scales_is_the_normal_one_rounded_up() -> None:
    assert mechanisms.noise_radius(4_096, Fraction(1, 20)) == pytest.approx(1.959964 * 4_096, abs=1.5)
    assert mechanisms.noise_radius(10**9, Fraction(1, 20)) == pytest.approx(1.959964e9, rel=1e-6)


def test_the_noise_is_that_of_its_scale() -> None:
    draws = mechanisms.noisy([0] * 20_000, 1_000)
    assert sum(draws) / 20_000 == pytest.approx(0, abs=1_000 * 6 / math.sqrt(20_000))
    assert sum(d * d for d in draws) / 20_000 == pytest.approx(10**6, rel=0.06)
    covered = sum(abs(d) <= mechanisms.noise_radius(1_000, Fraction(1, 20)) for d in draws) / 20_000
    assert covered == pytest.approx(0.95, abs=0.01)


def test_totals_at_the_ends_of_int64_saturate() -> None:
    assert mechanisms.noisy([2**63 - 1] * 50, 10**6)[0] <= 2**63 - 1
    assert min(mechanisms.noisy([-(2**63)] * 50, 10**6)) >= -(2**63)


def test_the_self_test_passes_on_the_real_sampler() -> None:
    mechanisms.self_test()


BROKEN: dict[str, tuple[int, Callable[[random.Random], int]]] = {
    "nothing": (40, lambda draw: 0),
    "too narrow": (40, lambda draw: round(draw.gauss(0, 40 * 0.93))),
    "off centre": (40, lambda draw: round(draw.gauss(2.5, 40))),
    "uniform": (40, lambda draw: round(draw.uniform(-40, 40) * math.sqrt(3))),
    "even numbers only": (3, lambda draw: 2 * round(draw.gauss(0, 3) / 2)),
    "never zero": (3, lambda draw: round(draw.gauss(0, 3)) or draw.choice((1, -1))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_control_a_broken_sampler_is_seen(name: str) -> None:
    scale, broken = BROKEN[name]
    draw = random.Random(1)
    with pytest.raises(Incident) as incident:
        mechanisms.check_draws([broken(draw) for _ in range(mechanisms.SELF_TEST_DRAWS)], scale)
    assert incident.value.code == "query.sampler_broken"
