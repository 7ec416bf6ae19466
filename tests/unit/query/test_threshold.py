"""The δ that is charged is never below the δ of the draw, and hardly above it."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.threshold import ATTO, atto_delta, tail, threshold


@lru_cache
def weights(scale: int) -> list[Decimal]:
    with localcontext() as exact:
        exact.prec = 60
        return [(Decimal(-x * x) / (2 * scale * scale)).exp() for x in range(40 * scale)]


def exact_tail(scale: int, least: int) -> Decimal:
    """P[N ≥ least] by adding up the distribution itself, in 60 digits."""
    with localcontext() as exact:
        exact.prec = 60
        found = weights(scale)
        return sum(found[least:], Decimal(0)) / (2 * sum(found) - 1)


@pytest.mark.parametrize("scale", [1, 2, 3, 8, 25])
def test_the_tail_is_bounded_from_above_and_closely(scale: int) -> None:
    for least in range(0, 12 * scale, max(1, scale // 3)):
        bound, truth = tail(scale, least), exact_tail(scale, least)
        assert truth <= bound, (scale, least)
        if least > 4 * scale >= 100:
            assert bound <= truth * Decimal("1.2")


def test_at_the_scales_that_are_used_it_is_the_normal_tail() -> None:
    for y in (1.0, 3.0, 6.0):
        truth = NormalDist().cdf(-y)
        assert truth * (1 - 1e-9) <= float(tail(2**30, int(y * 2**30))) <= truth * (1.02 if y < 2 else 1.001)


@pytest.mark.parametrize(("scale", "keys"), [(3, 1), (3, 8), (8, 500)])
def test_no_key_of_the_person_is_left_out_of_the_delta(scale: int, keys: int) -> None:
    for least in (2 * scale, 5 * scale, 7 * scale):
        with localcontext() as exact:
            exact.prec = 80
            truth = 1 - (1 - exact_tail(scale, least)) ** keys
        assert truth * ATTO <= atto_delta(scale, least, keys) <= truth * ATTO * Decimal("1.5") + 1


@settings(max_examples=60, deadline=None)
@given(
    scale=st.integers(1, 2**50),
    keys=st.integers(1, 1024),
    delta=st.sampled_from(["1e-3", "1e-6", "1e-9", "3.5e-12", "1e-18"]),
)
def test_a_threshold_costs_no_more_than_declared_and_is_no_higher_than_needed(
    scale: int, keys: int, delta: str
) -> None:
    found = threshold(scale, keys, delta)
    least, most = found.least - WEIGHT_ONE, int(Decimal(delta) * ATTO)
    assert found.atto_delta == atto_delta(scale, least, keys) <= most
    lower = least - max(2, scale // 10**5)
    assert lower < 0 or atto_delta(scale, lower, keys) > most


def test_a_delta_below_the_ledgers_unit_buys_nothing() -> None:
    with pytest.raises(ValueError, match="smallest unit"):
        threshold(40, 8, "1e-19")
