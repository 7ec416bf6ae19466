"""What is left of each account, in the figures people read?

spent = ε(ρ spent, δ), cap = ε(ρ cap, δ), left = ε(ρ cap − ρ spent, δ): conversions of three different ρ, so they need not
add up. δ spent on unlisted keys stands beside: with it the guarantee is (ε, δ + that). `more_such` says how many more
questions of a given price fit. Where pure ε is counted there is nothing to convert: spent and left are the cap, and δ is 0.
"""

from __future__ import annotations

from collections.abc import Iterable

from domicile.wire.shapes import AccountCard
from enclave.budget import ATTO, NANO, Account, Amount, Balance, Snapshot
from enclave.query import Priced, epsilon_of


def account_card(balance: Balance, delta: str, priced: Priced | None = None) -> AccountCard:
    """One account as shown, beside a question that is being priced, if any."""
    if balance.cap.is_pure:
        return _pure_card(balance, priced)
    return AccountCard(
        kind=balance.kind.value,
        name=balance.name,
        epsilon_cap=epsilon_of(balance.cap.nano_rho, delta),
        epsilon_spent=epsilon_of(balance.spent.nano_rho, delta),
        epsilon_left=epsilon_of(balance.left.nano_rho, delta),
        delta=float(delta),
        keys_delta_cap=balance.cap.atto_delta / ATTO,
        keys_delta_spent=balance.spent.atto_delta / ATTO,
        rho_cap=balance.cap.nano_rho,
        rho_spent=balance.spent.nano_rho,
        frozen=balance.frozen,
        incidents=balance.incidents,
        more_such=_more_such(balance.left, priced) if priced else None,
    )


def _pure_card(balance: Balance, priced: Priced | None) -> AccountCard:
    left, price = balance.left.nano_epsilon, priced.nano_epsilon if priced else 0
    return AccountCard(
        kind=balance.kind.value,
        name=balance.name,
        epsilon_cap=balance.cap.nano_epsilon / NANO,
        epsilon_spent=balance.spent.nano_epsilon / NANO,
        epsilon_left=left / NANO,
        delta=0.0,
        rho_cap=0,
        rho_spent=0,
        pure=True,
        frozen=balance.frozen,
        incidents=balance.incidents,
        more_such=left // price if price else None,
    )


def _more_such(left: Amount, priced: Priced) -> int:
    fit = left.nano_rho // priced.rho
    return min(fit, left.atto_delta // priced.atto_delta) if priced.atto_delta else fit


def standing(
    seen: Snapshot, accounts: Iterable[Account], delta: str, priced: Priced | None = None
) -> tuple[AccountCard, ...]:
    """The cards of `accounts` that are open, in the order asked."""
    return tuple(account_card(balance, delta, priced) for balance in seen.balances(accounts))
