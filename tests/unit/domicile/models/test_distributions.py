"""Tails of the normal and of χ², against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from domicile.models.distributions import chi_square_p, normal_p, normal_quantile


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
