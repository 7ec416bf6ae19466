"""The curve: Kaplan and Meier's without noise, with an interval that covers as it says with noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domicile.models.distributions import normal_quantile
from domicile.models.lifetable import LifeTable, _ends, _squares, curve
from domicile.models.nearest import Array

QUIET = 1e-9
REPEATS = 250
Z = normal_quantile(0.95)


def lives(draw: np.random.Generator, persons: int, intervals: int, hazard: float = 1.6) -> tuple[Array, Array]:
    """Events and last seen by interval, the last beyond: exponential times over [0, 1) under exponential censoring."""
    until, seen = draw.exponential(1 / hazard, persons), np.minimum(draw.exponential(1.7, persons), 1.0)
    at = np.minimum((np.minimum(until, seen) * intervals).astype(int), intervals)
    happened = until <= seen
    events, censored = (np.bincount(at[w], minlength=intervals + 1).astype(float) for w in (happened, ~happened))
    return events, censored


def test_without_noise_it_is_kaplan_and_meier() -> None:
    """By hand: 10 persons; 2 events of 10, then 1 of 6, then 3 of 4."""
    life = LifeTable.of(np.array([2.0, 1, 3, 0]), np.array([2.0, 1, 0, 1]), QUIET, 0.0)
    found = curve(life, Z)
    assert life.entering.tolist() == [10, 6, 4]
    assert found.survival == pytest.approx([0.8, 0.8 * 5 / 6, 0.8 * 5 / 6 / 4])
    greenwood = [2 / 80, 2 / 80 + 1 / 30, 2 / 80 + 1 / 30 + 3 / 4]
    assert found.sampling == pytest.approx(found.survival * np.sqrt(greenwood))
    assert found.noise == pytest.approx(np.zeros(3), abs=1e-6)


def test_those_last_seen_in_an_interval_count_for_half_of_it() -> None:
    life = LifeTable.of(np.array([2.0, 0]), np.array([4.0, 4]), QUIET, 0.5)
    assert life.at_risk.tolist() == [8]
    assert curve(life, Z).survival == pytest.approx([0.75])


def test_an_event_beyond_the_last_interval_has_not_happened_yet() -> None:
    one = LifeTable.of(np.array([2.0, 5]), np.array([1.0, 3]), QUIET, 0.0)
    other = LifeTable.of(np.array([2.0, 0]), np.array([1.0, 8]), QUIET, 0.0)
    assert curve(one, Z).survival == pytest.approx(curve(other, Z).survival)


def test_the_derivatives_are_those_of_the_curve() -> None:
    draw = np.random.default_rng(1)
    events, censored = lives(draw, 900, 6)
    for kappa in (0.0, 0.5):
        life = LifeTable.of(events, censored, QUIET, kappa)
        steps = life.events / (life.at_risk * (life.at_risk - life.events))
        squares, step = np.zeros(6), 1e-4
        for which in (0, 1):
            for at in range(7):
                moved = []
                for side in (1, -1):
                    cells = [events.copy(), censored.copy()]
                    cells[which][at] += side * step
                    moved.append(np.log(curve(LifeTable.of(cells[0], cells[1], QUIET, kappa), Z).survival))
                squares += ((moved[0] - moved[1]) / (2 * step)) ** 2
        assert _squares(life, life.at_risk, steps) == pytest.approx(squares, rel=1e-4)


@pytest.mark.parametrize(("persons", "noise"), [(300, QUIET), (300, 1.0), (300, 4.5), (3_000, 4.5), (3_000, 20.0)])
def test_intervals_cover_as_they_say(persons: int, noise: float) -> None:
    """Of sampling and noise together: 95 % at each time, a little more where noise rules."""
    draw, covered = np.random.default_rng(7), np.zeros(12)
    truth = np.exp(-1.6 * np.arange(1, 13) / 12)
    for _ in range(REPEATS):
        events, censored = (cells + draw.normal(0, noise, 13) for cells in lives(draw, persons, 12))
        found = curve(LifeTable.of(events, censored, noise, 0.5), Z)
        covered += (found.low <= truth) & (truth <= found.high)
    share = covered / REPEATS
    few = 4 * math.sqrt(0.05 * 0.95 / REPEATS)
    assert (share > 0.95 - few).all(), share
    assert 0.94 < share.mean() < 1.0, share


def test_control_sampling_errors_alone_cover_too_little() -> None:
    draw, covered = np.random.default_rng(7), 0
    for _ in range(60):
        events, censored = (cells + draw.normal(0, 20, 13) for cells in lives(draw, 3_000, 12))
        found = curve(LifeTable.of(events, censored, 20.0, 0.5), Z)
        covered += abs(found.survival[5] - math.exp(-0.8)) <= Z * found.sampling[5]
    assert covered < 0.8 * 60


@pytest.mark.parametrize(("persons", "anchor"), [(228, 0.0145), (1_000, 0.0034)])
def test_it_comes_as_near_as_the_best_that_is_known(persons: int, anchor: float) -> None:
    """RMSE to the curve without noise, over 20 intervals, at the noise of ε = 1 in pure ε (discrete Laplace)."""
    draw, squares = np.random.default_rng(5), []
    for _ in range(150):
        until = draw.exponential(1.0, persons)
        events = np.bincount(np.minimum((until * 20).astype(int), 20), minlength=21).astype(float)
        censored = np.append(np.zeros(20), events[-1])
        events[-1] = 0.0
        truth = curve(LifeTable.of(events, censored, QUIET, 0.0), Z).survival
        noise = draw.geometric(1 - 1 / math.e, (2, 21)) - draw.geometric(1 - 1 / math.e, (2, 21))
        told = LifeTable.of(events + noise[0], censored + noise[1], 1.36, 0.0)
        squares.append(np.mean((curve(told, Z).survival - truth) ** 2))
    assert math.sqrt(np.mean(squares)) < 1.2 * anchor


@pytest.mark.parametrize("noise", [1.0, 50.0, 1e6])
def test_it_never_leaves_0_and_1_and_never_rises(noise: float) -> None:
    draw = np.random.default_rng(11)
    for _ in range(30):
        events, censored = (cells + draw.normal(0, noise, 9) for cells in lives(draw, 60, 8))
        found = curve(LifeTable.of(events, censored, noise, 0.5), Z)
        for values in (found.survival, found.low, found.high):
            assert np.isfinite(values).all()
            assert ((values >= 0) & (values <= 1)).all()
        assert (np.diff(found.survival) <= 1e-12).all()
        assert (found.low <= found.high).all()


def test_where_nobody_stands_clear_of_the_noise_the_interval_says_so() -> None:
    found = curve(LifeTable.of(np.array([30.0, 3, 1, 0]), np.array([2.0, 1, 1, 4]), 40.0, 0.5), Z)
    assert found.low.tolist() == [0, 0, 0]
    assert found.high.tolist() == [1, 1, 1]
    assert np.isnan(found.noise).all()


def test_where_hardly_anything_happened_noise_makes_the_interval_everything_and_says_nothing() -> None:
    survival = np.array([1 - 1e-9, 0.999, 0.5])
    with np.errstate(over="raise"):
        low, high = _ends(survival, np.array([3.0, 50.0, 900.0]))
    assert low.tolist() == [0.0, 0.0, 0.0] and high.tolist() == [1.0, 1.0, 1.0]
    near, far = _ends(survival, np.array([1e-10, 1e-4, 0.1]))
    assert (near < survival).all() and (survival < far).all(), "the control: little noise, a short interval"
