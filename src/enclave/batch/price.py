"""What may a plan spend, and does it fit what is left?

From what it declares alone: each run lists the ε of each question it may ask, the broker holds it to the sum
(`broker.asking`), so the sum over all runs is an upper bound. Nothing is set aside: what others spend meanwhile can make a
later run be refused, uncharged. Of a population nothing is said: what is left of it tells what other projects ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domicile.rules.plan import Step
from domicile.wire.shapes import AccountCard
from enclave.access import Grant
from enclave.broker.caps import payers
from enclave.broker.standing import account_card
from enclave.budget import Amount, Balance, balances
from enclave.catalogue import Dataset
from enclave.errors import Refused
from enclave.query import epsilon_of, rho_for
from enclave.store import Place


@dataclass(frozen=True)
class Price:
    """Nano-rho each run may spend, all together, and what stands against it."""

    each: Mapping[str, int]
    rho: int
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
    """The price of all of `steps`, so often, and whether the accounts of project and researcher can bear it. Refused where
    the project is counted in pure ε: what a run may spend is declared, and held to, in ρ."""
    if grant.pure:
        raise Refused("batch.pure", project=grant.project)
    each = {step.name: sum(rho_for(epsilon, dataset.delta) for epsilon in step.epsilon) for step in steps}
    rho = sum(each.values()) * occurrences
    who, open_ = payers(dataset.registers, grant, member), {balance.account: balance for balance in balances(place)}
    granted = {who.project: grant.epsilon_project, who.researcher: grant.epsilon_researcher}
    standing = [
        open_.get(account) or Balance(account, Amount(rho_for(epsilon, dataset.delta)))  # opened by the first question
        for account, epsilon in granted.items()
    ]
    refusals = tuple(r for balance in standing if (r := _refusal(balance, rho, dataset.delta)) is not None)
    cards = tuple(account_card(balance, dataset.delta) for balance in standing)
    return Price(each, rho, occurrences, epsilon_of(rho, dataset.delta), cards, refusals)


def _refusal(balance: Balance, rho: int, delta: str) -> Refused | None:
    if balance.frozen:
        return Refused("batch.frozen", kind=str(balance.kind))
    if rho <= balance.left.nano_rho:
        return None
    needed, left = epsilon_of(rho, delta), epsilon_of(balance.left.nano_rho, delta)
    return Refused("batch.does_not_fit", kind=str(balance.kind), needed=f"{needed:.4g}", left=f"{left:.4g}")
