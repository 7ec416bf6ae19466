"""Counts nearest to noisy ones: possible, with the same totals, and no possible ones are nearer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domicile.models.nearest import Array, consistent, kept, with_total

NUMBERS = st.lists(st.floats(-50, 200), min_size=1, max_size=30).map(np.array)
SHAPES = st.sampled_from([(4,), (2, 3), (5, 4), (2, 3, 4)])


@given(NUMBERS, st.floats(0.1, 500))
def test_the_nearest_numbers_have_the_total_and_no_others_are_nearer(noisy: Array, total: float) -> None:
    found = with_total(noisy, total)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(total, rel=1e-9)
    # of a convex problem it is enough that every step towards a corner leads away
    gradient = 2 * (found - noisy)
    assert (gradient @ found) <= (gradient * total).min() + 1e-6 * max(1.0, abs(gradient).max() * total)


def test_what_could_be_true_already_stays_as_it_is() -> None:
    cells = np.array([[3.0, 0.0], [2.5, 7.0]])
    assert kept(cells.ravel()) == pytest.approx(cells.ravel())
    assert consistent(cells) == pytest.approx(cells)


@pytest.mark.parametrize("noisy", [np.array([-3.0, 1.0]), np.zeros(4), np.array([[-1.0, -2.0], [0.5, -9.0]])])
def test_a_total_that_cannot_be_makes_a_table_of_nobody(noisy: Array) -> None:
    assert not kept(noisy).any()
    assert not consistent(noisy).any()


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.integers(0, 10_000), st.floats(0, 30))
def test_cells_are_possible_and_keep_the_margins_of_the_noisy_table(
    shape: tuple[int, ...], seed: int, noise: float
) -> None:
    draw = np.random.default_rng(seed)
    noisy = draw.poisson(20, shape) * draw.integers(0, 2, shape) + draw.normal(0, noise, shape)
    found = consistent(noisy)
    total = max(float(noisy.sum()), 0.0)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(total, abs=1e-5 * max(total, 1))
    for axis in range(noisy.ndim):
        others = tuple(a for a in range(noisy.ndim) if a != axis)
        margin = with_total(noisy.sum(axis=others), total)
        assert found.sum(axis=others) == pytest.approx(margin, abs=1e-5 * max(total, 1))


def test_no_possible_table_with_these_margins_is_nearer() -> None:
    draw = np.random.default_rng(3)
    noisy = draw.poisson(4, (3, 5)) + draw.normal(0, 6, (3, 5))
    found = consistent(noisy)
    for _ in range(300):
        i, k = draw.choice(3, 2, replace=False)
        j, m = draw.choice(5, 2, replace=False)
        step = np.zeros((3, 5))
        step[i, j] = step[k, m] = 1.0
        step[i, m] = step[k, j] = -1.0
        moved = found + step * draw.uniform(-3, 3)
        if (moved >= 0).all():
            assert np.square(moved - noisy).sum() >= np.square(found - noisy).sum() - 1e-6
