"""Which charged questions failed on our side, and what stands frozen because of them?

Every incident froze its project's questions; how many were ever lifted is shown beside ε, as what the guarantee does not
cover (design §4).
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.budget import Balance, balances, history
from enclave.budget.acts import Settled
from enclave.store import Place


@dataclass(frozen=True)
class Incident:
    """One charged question that was answered by the mechanism on zeros."""

    entry: int
    at: str
    reservation: int
    run: str


def incidents(place: Place) -> list[Incident]:
    """All incidents of this home, oldest first, from the ledger itself."""
    found: list[Incident] = []
    since = 0
    while entries := history(place, since):
        for entry in entries:
            act = entry.act
            if isinstance(act, Settled) and act.incident:
                found.append(Incident(entry.seq, entry.at, act.reservation, str(act.what.get("run", ""))))
        since = entries[-1].seq
    return found


def frozen(place: Place) -> list[Balance]:
    """Accounts that pay for nothing until an officer thaws them."""
    return [balance for balance in balances(place) if balance.frozen]
