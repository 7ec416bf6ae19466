"""Tails of the normal and of χ², against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from domicile.models.distributions import beyond_p, chi_square_p, normal_p, normal_quantile, reach


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 10, 45, 120])
@pytest.mark.parametrize("statistic", [1e-6, 0.5, 3.84, 20.0, 150.0])
def test_the_tail_of_chi_square_is_that_of_scipy(freedom: int, statistic: float) -> None:
    assert chi_square_p(statistic, freedom) == pytest.approx(float(stats.chi2.sf(statistic, freedom)), rel=1e-9)


def test_nothing_unusual_has_p_1() -> None:
    assert chi_square_p(0.0, 4) == chi_square_p(-1.0, 4) == 1.0


def test_without_a_degree_of_freedom_there_is_no_test() -> None:
    with pytest.raises(ValueError, match="degree"):
        chi_square_p(1.0, 0)


def test_the_normal_is_that_of_scipy() -> None:
    assert normal_quantile(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert normal_p(-1.959964) == pytest.approx(0.05, abs=1e-6)


def tail(z: float, parts: list[float]) -> float:
    """P[|Y| > z] of a normal part of variance parts[0] and Laplace parts of the others (Davies 1973)."""
    step = 2 * np.pi / (z + 60)
    half = np.arange(4_000) + 0.5
    turned = np.exp(-((half * step) ** 2) * parts[0] / 2)
    for variance in parts[1:]:
        turned = turned / (1 + (half * step) ** 2 * variance / 2)
    return float(1 - 2 * np.sum(np.sin(half * step * z) * turned / (np.pi * half)))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_no_sum_of_normal_and_laplace_parts_reaches_further_than_the_further_of_both(confidence: float) -> None:
    draw, far = np.random.default_rng(1), reach(confidence, laplace=True)
    for _ in range(150):
        parts = draw.dirichlet(np.ones(draw.integers(2, 9)) * draw.choice([0.2, 1, 5])).tolist()
        assert tail(far, parts) <= (1 - confidence) * (1 + 1e-6), parts
    assert beyond_p(far, laplace=True) == pytest.approx(1 - confidence)
    assert reach(confidence, laplace=False) == normal_quantile(confidence)


def test_control_of_one_laplace_part_a_normal_interval_covers_too_little() -> None:
    assert tail(normal_quantile(0.95), [0.0, 1.0]) > 0.06
    assert tail(normal_quantile(0.99), [0.0, 1.0]) > 0.025
