"""Which charged questions failed on our side, and what stands frozen because of them?

Every incident froze its project's questions; how many were ever lifted is shown beside ε, as what the guarantee does not
cover (design §4).
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.broker.unclean import reason
from enclave.budget import Balance, balances, history
from enclave.budget.acts import Frozen, Settled
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


@dataclass(frozen=True)
class Stopped:
    """An account that pays for nothing until an officer thaws it."""

    kind: str
    name: str
    since_entry: int
    by: str
    why: str


def frozen(place: Place, lang: str) -> list[Stopped]:
    """Every account that is frozen, by whom and why, in words."""
    return [_stopped(place, balance, lang) for balance in balances(place) if balance.frozen]


def _stopped(place: Place, balance: Balance, lang: str) -> Stopped:
    (entry,) = history(place, balance.frozen_at - 1, 1)
    act = entry.act
    assert isinstance(act, Frozen)
    return Stopped(balance.kind.value, balance.name, entry.seq, act.actor, reason(act.why, lang))
