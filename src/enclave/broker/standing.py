"""What is left of each account, in the figures people read?

spent = ε(ρ spent, δ), cap = ε(ρ cap, δ), left = ε(ρ cap − ρ spent, δ): conversions of three different ρ, so they need not
add up. `more_such` says how many more questions of a given price fit.
"""

from __future__ import annotations

from collections.abc import Iterable

from domicile.wire.shapes import AccountCard
from enclave.budget import Account, Balance, balances
from enclave.query import epsilon_of
from enclave.store import Place


def account_card(balance: Balance, delta: str, price: int | None = None) -> AccountCard:
    """One account as shown; `price` in nano-rho, if a question is being priced."""
    return AccountCard(
        kind=balance.kind.value,
        name=balance.name,
        epsilon_cap=epsilon_of(balance.cap.nano_rho, delta),
        epsilon_spent=epsilon_of(balance.spent.nano_rho, delta),
        epsilon_left=epsilon_of(balance.left.nano_rho, delta),
        delta=float(delta),
        rho_cap=balance.cap.nano_rho,
        rho_spent=balance.spent.nano_rho,
        frozen=balance.frozen,
        incidents=balance.incidents,
        more_such=balance.left.nano_rho // price if price else None,
    )


def standing(
    place: Place, accounts: Iterable[Account], delta: str, price: int | None = None
) -> tuple[AccountCard, ...]:
    """The cards of `accounts` that are open, in the order asked."""
    found = {balance.account: balance for balance in balances(place)}
    return tuple(account_card(found[account], delta, price) for account in accounts if account in found)
