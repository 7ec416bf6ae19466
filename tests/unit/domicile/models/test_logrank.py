"""The log-rank test: the classical one without noise, and no more false alarms with noise than it says."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.domicile.models.test_lifetable import QUIET, lives

from domicile.models.distributions import chi_square_p
from domicile.models.lifetable import LifeTable
from domicile.models.logrank import Score, _derivatives, hazard_ratio, score
from domicile.models.nearest import Array

REPEATS = 250


def groups(
    draw: np.random.Generator, persons: int, count: int, noise: float, effect: float = 0.0, *, laplace: bool = False
) -> list[LifeTable]:
    made = []
    for g in range(count):
        events, censored = lives(draw, persons // count, 12, hazard=1.6 * np.exp(effect * g))
        told = draw.laplace(0, noise / np.sqrt(2), (2, 13)) if laplace else draw.normal(0, noise, (2, 13))
        made.append(LifeTable.of(events + told[0], censored + told[1], noise, 0.5, laplace=laplace))
    return made


def test_without_noise_it_is_mantel_and_haenszel() -> None:
    """By hand: at risk 10 and 12, 8 and 11; events 1 and 0, 3 and 1."""
    one = LifeTable.of(np.array([1.0, 3, 0]), np.array([1.0, 0, 5]), QUIET, 0.0)
    other = LifeTable.of(np.array([0.0, 1, 0]), np.array([1.0, 0, 10]), QUIET, 0.0)
    found = score([one, other])
    assert found.expected[0] == pytest.approx(10 / 22 + 8 * 4 / 19)
    variance = 10 * 12 * 1 * 21 / (22**2 * 21) + 8 * 11 * 4 * 15 / (19**2 * 18)
    assert found.statistic == pytest.approx((4 - found.expected[0]) ** 2 / variance)
    assert found.p == pytest.approx(chi_square_p(found.statistic, 1))


def test_the_derivatives_are_those_of_the_score() -> None:
    draw, step = np.random.default_rng(2), 1e-4
    cells = [lives(draw, 300, 5) for _ in range(3)]

    def surplus(changed: list[tuple[Array, Array]]) -> Array:
        found = score([LifeTable.of(e, c, QUIET, 0.5) for e, c in changed])
        made: Array = found.observed - found.expected
        return made

    made = [LifeTable.of(e, c, QUIET, 0.5) for e, c in cells]
    events, risk = (np.array([getattr(m, what) for m in made]) for what in ("events", "at_risk"))
    rate, share = events.sum(axis=0) / risk.sum(axis=0), risk / risk.sum(axis=0)
    found = _derivatives(made, rate, share, np.ones(5, dtype=bool))
    for h in range(3):
        for at in range(5):
            for which in (0, 1):
                sides = []
                for side in (1, -1):
                    changed = [(e.copy(), c.copy()) for e, c in cells]
                    changed[h][which][at] += side * step
                    sides.append(surplus(changed))
                numeric = (sides[0] - sides[1]) / (2 * step)
                assert found[:, h, at + 5 * which] == pytest.approx(numeric, abs=1e-5)


def test_nor_under_laplace_noise() -> None:
    draw = np.random.default_rng(5)
    found = [score(groups(draw, 2_000, 4, 12.0, laplace=True)) for _ in range(60)]
    few = 4 * np.sqrt(0.05 * 0.95 / 60)
    assert np.mean([f.p < 0.05 for f in found]) < 0.05 + few
    assert all(f.p >= chi_square_p(f.statistic, f.freedom) for f in found)
    assert found[0].p == found[0].p, "an answer has one p"


@pytest.mark.parametrize(
    ("persons", "count", "noise"), [(400, 2, QUIET), (400, 2, 4.5), (2_000, 5, 4.5), (10_000, 2, 20.0)]
)
def test_alike_groups_are_found_different_no_more_often_than_it_says(persons: int, count: int, noise: float) -> None:
    draw = np.random.default_rng(4)
    alarms = [score(groups(draw, persons, count, noise)).p < 0.05 for _ in range(REPEATS)]
    assert np.mean(alarms) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / REPEATS)


def test_control_a_test_that_does_not_know_of_the_noise_finds_what_is_not_there() -> None:
    draw, alarms = np.random.default_rng(4), 0
    for _ in range(80):
        found = score(groups(draw, 2_000, 5, 4.5))
        blind = Score(found.observed, found.expected, found.sampling, np.zeros_like(found.noise))
        alarms += blind.p < 0.05
    assert alarms > 0.25 * 80


def test_groups_that_differ_are_found() -> None:
    draw = np.random.default_rng(6)
    assert np.mean([score(groups(draw, 4_000, 2, 4.5, effect=0.4)).p < 0.01 for _ in range(40)]) > 0.9


def test_a_hazard_ratio_lies_within_its_interval() -> None:
    draw, covered = np.random.default_rng(8), 0
    for _ in range(150):
        one, other = groups(draw, 4_000, 2, 6.0, effect=0.3)
        ratio, noise, sampling = hazard_ratio(one, other)
        covered += abs(ratio - 0.3) <= 1.96 * np.hypot(noise, sampling)
    assert covered > 0.88 * 150


def test_a_group_of_nobody_changes_nothing() -> None:
    draw = np.random.default_rng(9)
    made = groups(draw, 2_000, 2, QUIET)
    nobody = LifeTable.of(np.zeros(13), np.zeros(13), QUIET, 0.5)
    assert score([*made, nobody]).statistic == pytest.approx(score(made).statistic, rel=1e-6)
