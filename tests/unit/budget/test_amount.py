"""Amounts are whole, never negative, and compare part by part."""

import pytest

from enclave.budget.amount import ATTO, MOST, NANO, NOTHING, Amount, pure
from enclave.errors import BadInput


@pytest.mark.parametrize("wrong", [-1, 1.0, 0.5, float("nan"), True, "1", None, MOST + 1])
def test_what_is_no_whole_number_is_no_amount(wrong: object) -> None:
    for parts in ((wrong, 0), (0, wrong), (0, 0, wrong)):
        with pytest.raises(BadInput, match="whole number"):
            Amount(*parts)


def test_twenty_times_a_twentieth_is_exactly_one() -> None:
    total = Amount(0)
    for _ in range(20):
        total += Amount(NANO // 20, ATTO // 20)
    assert total == Amount(NANO, ATTO)
    assert sum([0.05] * 20) != 1.0, "the control: floats do not add up"


def test_a_sum_too_large_to_store_is_refused_not_wrapped() -> None:
    with pytest.raises(BadInput):
        Amount(MOST) + Amount(1)


@pytest.mark.parametrize(
    ("amount", "fits"),
    [
        (Amount(5, 5), True),
        (Amount(0, 0), True),
        (Amount(6, 0), False),
        (Amount(0, 6), False),
        (Amount(6, 6), False),
    ],
)
def test_an_amount_fits_only_when_both_parts_do(amount: Amount, fits: bool) -> None:
    assert amount.fits(Amount(5, 5)) is fits


@pytest.mark.parametrize("other", [Amount(1), Amount(0, 1)])
def test_pure_epsilon_is_never_added_to_rho_or_delta(other: Amount) -> None:
    assert pure(1).mixes_with(other)
    assert other.mixes_with(pure(1))
    with pytest.raises(BadInput, match="never in both"):
        pure(1) + other


def test_nothing_is_counted_in_either_measure() -> None:
    for amount in (pure(3), Amount(3, 1), NOTHING):
        assert not amount.mixes_with(NOTHING)
        assert amount + NOTHING == amount
        assert amount - amount == NOTHING
        assert NOTHING.fits(amount)


def test_amounts_stand_in_no_order() -> None:
    """A tuple's order would call (1, 9) smaller than (2, 0), and let it pass under a cap."""
    with pytest.raises(TypeError):
        assert Amount(1, 9) < Amount(2, 0)  # type: ignore[misc]
    assert not Amount(1, 9).fits(Amount(2, 0))
