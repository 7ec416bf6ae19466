"""What may a plan spend, and does it fit what is left?

From what it declares alone: each run lists the ε of each question it may ask, the broker holds it to the sum
(`broker.asking`), so the sum over all runs is an upper bound. Nothing is set aside: what others spend meanwhile can make a
later run be refused, uncharged. Of a population nothing is said: what is left of it tells what other projects ask.

All of it is in the measure of the project: whole nano-rho, or nano-epsilon where its grant says pure ε.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domicile.rules.plan import Step
from domicile.wire.shapes import AccountCard
from enclave.access import Grant
from enclave.broker.caps import cap_of, payers
from enclave.broker.measure import epsilon
from enclave.broker.standing import account_card
from enclave.budget import NOTHING, Amount, Balance, balances
from enclave.catalogue import Dataset
from enclave.errors import Refused
from enclave.store import Place


@dataclass(frozen=True)
class Price:
    """What each run may spend, all together, and what stands against it."""

    each: Mapping[str, Amount]
    whole: Amount
    occurrences: int
    epsilon: float
    accounts: tuple[AccountCard, ...]
    refusals: tuple[Refused, ...]

    def check(self) -> None:
        """Refused when the plan cannot be paid for now."""
        for refusal in self.refusals:
            raise refusal


def price(
    place: Place, dataset: Dataset, grant: Grant, member: str, steps: tuple[Step, ...], occurrences: int = 1
) -> Price:
    """The price of all of `steps`, so often, and whether the accounts of project and researcher can bear it."""
    each = {step.name: sum((cap_of(grant, asked, dataset.delta) for asked in step.epsilon), NOTHING) for step in steps}
    whole = _times(sum(each.values(), NOTHING), occurrences)
    who, open_ = payers(dataset.registers, grant, member), {balance.account: balance for balance in balances(place)}
    granted = {who.project: grant.epsilon_project, who.researcher: grant.epsilon_researcher}
    standing = [
        open_.get(account) or Balance(account, cap_of(grant, cap, dataset.delta))  # opened by the first question
        for account, cap in granted.items()
    ]
    refusals = tuple(r for balance in standing if (r := _refusal(balance, whole, dataset.delta)) is not None)
    cards = tuple(account_card(balance, dataset.delta) for balance in standing)
    return Price(each, whole, occurrences, epsilon(whole, dataset.delta), cards, refusals)


def _times(amount: Amount, times: int) -> Amount:
    return Amount(amount.nano_rho * times, amount.atto_delta * times, amount.nano_epsilon * times)


def _refusal(balance: Balance, whole: Amount, delta: str) -> Refused | None:
    if balance.frozen:
        return Refused("batch.frozen", kind=str(balance.kind))
    if whole.fits(balance.left):
        return None
    needed, left = epsilon(whole, delta), epsilon(balance.left, delta)
    return Refused("batch.does_not_fit", kind=str(balance.kind), needed=f"{needed:.4g}", left=f"{left:.4g}")
