"""Rows 34, 35: a formula that counts less than was lost, or one that holds only for questions fixed in advance.

The ledger adds whole nano-rho, which stays valid when each question is chosen from earlier answers; ε is read off the sum.
Against the exact loss of the same Gaussians composed (one Gaussian, closed form) and against dp-accounting it is never
below. Controls: the accountant of PLD is tighter and not a filter; averaging ε instead of ρ would claim too little.
"""

from __future__ import annotations

import math
import random
from statistics import NormalDist

import pytest
from dp_accounting import GaussianDpEvent, dp_event
from dp_accounting.pld import PLDAccountant
from dp_accounting.privacy_accountant import NeighboringRelation

from enclave.query import mechanisms

DELTA = 1e-6
PHI = NormalDist().cdf


def delta_of(epsilon: float, mu: float) -> float:
    """δ(ε) of Gaussians that compose to a distance of `mu` standard deviations: exact."""
    return PHI(mu / 2 - epsilon / mu) - math.exp(epsilon) * PHI(-mu / 2 - epsilon / mu)


def test_row_34_the_sum_of_rho_never_claims_less_than_was_lost() -> None:
    """Random sequences of prices as the ledger takes them."""
    draw = random.Random(34)
    for _ in range(120):
        sequence = [10 ** draw.uniform(3, 8.3) for _ in range(draw.randrange(1, 60))]
        scales = [mechanisms.scale_for(int(rho), 65_536) for rho in sequence]
        spent = sum(mechanisms.price(scale, 65_536) for scale in scales)
        mu = math.sqrt(sum((65_536 / scale) ** 2 for scale in scales))
        if mu < 12:  # beyond, δ of the closed form underflows
            assert delta_of(mechanisms.epsilon_of(spent, "1e-6"), mu) <= DELTA * (1 + 1e-6)


@pytest.mark.parametrize("prices", [[50_000_000], [1_000_000] * 20, [5_000, 80_000_000, 300_000_000]])
def test_row_34_nor_less_than_dp_accounting(prices: list[int]) -> None:
    accountant = PLDAccountant(NeighboringRelation.ADD_OR_REMOVE_ONE)
    scales = [mechanisms.scale_for(rho, 65_536) for rho in prices]
    accountant.compose(dp_event.ComposedDpEvent([GaussianDpEvent(scale / 65_536) for scale in scales]))
    spent = sum(mechanisms.price(scale, 65_536) for scale in scales)
    exact = accountant.get_epsilon(DELTA)
    assert exact - 1e-9 <= mechanisms.epsilon_of(spent, "1e-6") <= 1.25 * exact


def test_row_34_control_advanced_composition_taken_of_epsilons_claims_less() -> None:
    """Adding ε of each question in quadrature, a formula seen in the field, is below what is lost."""
    rho = 50_000_000
    lost = mechanisms.epsilon_of(100 * rho, "1e-6")
    assert math.sqrt(100) * mechanisms.epsilon_of(rho, "1e-6") < lost


def test_row_35_the_gate_adds_and_does_not_depend_on_the_order() -> None:
    """Sums of whole numbers: splitting, reordering and choosing adaptively change nothing."""
    draw = random.Random(35)
    prices = [mechanisms.price(mechanisms.scale_for(draw.randrange(1_000, 10**8), 65_536), 65_536) for _ in range(200)]
    assert sum(prices) == sum(sorted(prices)) == sum(sum(prices[i::7]) for i in range(7))
