"""Two keys of a table: Pearson's χ² without noise, and no more false alarms with noise than it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from domicile.models.independence import Independence, independence

REPEATS = 300
FEWER = 120


@pytest.mark.parametrize("seed", range(4))
def test_without_noise_it_is_pearsons(seed: int) -> None:
    cells = np.random.default_rng(seed).poisson(30, (3, 4)).astype(float)
    expected = stats.chi2_contingency(cells, correction=False)
    found = independence(cells, 0.0)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert found.freedom == 6


@pytest.mark.parametrize(
    ("persons", "shape", "noise"),
    [(300, (2, 2), 4.5), (2_000, (3, 6), 4.5), (2_000, (22, 3), 4.5), (500, (3, 3), 30.0)],
)
def test_independent_keys_are_found_together_no_more_often_than_it_says(
    persons: int, shape: tuple[int, int], noise: float
) -> None:
    draw = np.random.default_rng(1)
    rows, columns = draw.dirichlet(np.full(shape[0], 5.0)), draw.dirichlet(np.full(shape[1], 5.0))
    alarms = []
    for _ in range(REPEATS):
        cells = draw.multinomial(persons, np.outer(rows, columns).ravel()).reshape(shape) + draw.normal(0, noise, shape)
        alarms.append(independence(cells, noise).p < 0.05)
    assert np.mean(alarms) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / REPEATS)


def with_laplace(draw: np.random.Generator) -> list[Independence]:
    """Five by five, nothing to be found, and noise that outweighs chance."""
    even, found = np.full(25, 1 / 25), []
    for _ in range(FEWER):
        cells = draw.multinomial(5_000, even).reshape(5, 5) + draw.laplace(0, 60 / np.sqrt(2), (5, 5))
        found.append(independence(cells, 60.0, laplace=1))
    return found


def test_nor_do_they_under_laplace_noise_whose_tails_are_longer() -> None:
    found = with_laplace(np.random.default_rng(3))
    for level in (0.05, 0.01):
        assert np.mean([f.p < level for f in found]) < level + 4 * np.sqrt(level * (1 - level) / FEWER)
    by_chi = [stats.chi2.sf(f.statistic, f.freedom) for f in found]
    assert np.mean([p < 0.01 for p in by_chi]) > 0.03, "the control: as if its noise were normal"


def test_control_pearsons_test_of_noisy_counts_finds_what_is_not_there() -> None:
    draw = np.random.default_rng(1)
    even = np.full(18, 1 / 18)
    alarms = [
        stats.chi2_contingency(
            np.maximum(draw.multinomial(500, even).reshape(3, 6) + draw.normal(0, 4.5, (3, 6)), 0.5), correction=False
        ).pvalue
        < 0.05
        for _ in range(100)
    ]
    assert np.mean(alarms) > 0.4


def test_keys_that_go_together_are_found_and_said_how_strongly() -> None:
    joint = np.array([[0.4, 0.1], [0.1, 0.4]])
    draw = np.random.default_rng(2)
    found = [independence(20_000 * joint + draw.normal(0, 10, (2, 2)), 10.0) for _ in range(50)]
    assert all(f.p < 1e-6 for f in found)
    assert np.mean([f.cramers_v for f in found]) == pytest.approx(0.6, abs=0.02)


def test_rows_of_nobody_and_single_rows_leave_nothing_to_test() -> None:
    assert independence(np.array([[5.0, 3.0]]), 1.0).freedom == 0
    whole = np.array([[40.0, 20.0, 0.0], [30.0, 35.0, 0.0]])
    assert independence(whole, 0.0).statistic == pytest.approx(independence(whole[:, :2], 0.0).statistic)
    assert np.isnan(independence(np.zeros((2, 2)), 1.0).p)
