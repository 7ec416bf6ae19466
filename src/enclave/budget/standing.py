"""What does an entry change, and may it be written?

The one rule set of the ledger. The committer asks it before it writes; `proof.verify` asks it again for every entry ever
written. So the balances people see follow from the chain alone, and a rule cannot hold in one place and not the other.

    reservation:  (none) → reserved → settled
                                    → lost        found open at start: the broker ended in between
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from enclave.budget.accounts import Account, AccountKind, Balance, gap_message, raise_message, thaw_message
from enclave.budget.acts import Act, Frozen, Gap, Lost, Opened, Raised, Reserved, Settled, Thawed
from enclave.budget.amount import Amount
from enclave.budget.charge import Share
from enclave.errors import NotFound, Refused, Tampered
from enclave.store import verify_signature


class ReservationState(StrEnum):
    """Where a reservation is. In every state what it reserved is spent."""

    RESERVED = "reserved"  # the extract may be open
    SETTLED = "settled"  # the question was carried out, its answer stored
    LOST = "lost"  # nobody knows how far it went


MOVES: dict[ReservationState, frozenset[ReservationState]] = {
    ReservationState.RESERVED: frozenset({ReservationState.SETTLED, ReservationState.LOST}),
    ReservationState.SETTLED: frozenset(),
    ReservationState.LOST: frozenset(),
}
OWNERS: dict[ReservationState, str] = dict.fromkeys(ReservationState, "broker")
ENTRIES: dict[ReservationState, type[Act]] = {
    ReservationState.RESERVED: Reserved,
    ReservationState.SETTLED: Settled,
    ReservationState.LOST: Lost,
}


class Effect(NamedTuple):
    """What one entry changes: the balances it leaves, a reservation it begins or ends."""

    balances: tuple[Balance, ...] = ()
    begins: tuple[Account, ...] = ()
    """Who pays for the reservation that this entry is."""
    ends: int | None = None
    gap: bool = False


@dataclass
class Standing:
    """Every account's balance and every reservation still open, after some number of entries."""

    balances: MutableMapping[Account, Balance] = field(default_factory=dict)
    open: MutableMapping[int, tuple[Account, ...]] = field(default_factory=dict)
    """Who paid for each reservation that is not ended."""
    gap: bool = False
    """True once entries were lost and an officer signed for it: a person register unknown until then may have been spent."""

    def balance(self, account: Account) -> Balance:
        """Where `account` stands; NotFound when it was never opened."""
        try:
            return self.balances[account]
        except KeyError:
            raise NotFound("budget.no_such_account", kind=str(account.kind), name=account.name) from None

    def effect(self, seq: int, act: Act) -> Effect:
        """What `act` would change as entry `seq`; raises the reason when it may not be written. Changes nothing."""
        match act:
            case Reserved():
                return Effect(tuple(map(self._spent, act.charge.shares)), act.charge.accounts)
            case Opened():
                return self._opened(seq, act)
            case Raised():
                return self._raised(act)
            case Frozen():
                return Effect((self.balance(act.account)._replace(frozen_at=seq),))
            case Thawed():
                return self._thawed(act)
            case Settled() | Lost():
                return self._ended(act)
            case Gap():
                return self._gap(seq, act)

    def take(self, seq: int, effect: Effect) -> None:
        """Make `effect` of entry `seq` true here."""
        for balance in effect.balances:
            self.balances[balance.account] = balance
        if effect.begins:
            self.open[seq] = effect.begins
        if effect.ends is not None:
            del self.open[effect.ends]
        self.gap = self.gap or effect.gap

    def _opened(self, seq: int, act: Opened) -> Effect:
        if act.account in self.balances:
            raise Refused("budget.already_open", kind=str(act.account.kind), name=act.account.name)
        balance = Balance(act.account, act.cap, opened=seq)
        if self.gap and act.account.kind is AccountKind.POPULATION:
            balance = balance.spent_in_full()
        return Effect((balance,))

    def _raised(self, act: Raised) -> Effect:
        balance = self.balance(act.account)
        if act.old != balance.cap or not balance.cap.fits(act.new) or act.new == balance.cap:
            cap, wanted = str(balance.cap), str(act.new)
            raise Refused("budget.not_a_raise", kind=str(balance.kind), name=balance.name, cap=cap, wanted=wanted)
        verify_signature(raise_message(act.account, act.old, act.new), act.signature)
        return Effect((balance._replace(cap=act.new),))

    def _thawed(self, act: Thawed) -> Effect:
        balance = self.balance(act.account)
        if not balance.frozen or balance.frozen_at != act.lifts:
            raise Refused("budget.not_this_freeze", kind=str(balance.kind), name=balance.name, seq=balance.frozen_at)
        verify_signature(thaw_message(act.account, act.lifts), act.signature)
        return Effect((balance._replace(frozen_at=0),))

    def _gap(self, seq: int, act: Gap) -> Effect:
        if act.actual.seq != seq - 1 or act.seen.seq == 0:
            raise Refused("budget.not_this_gap", seq=seq - 1, signed=act.actual.seq)
        verify_signature(gap_message(act.seen, act.actual, act.lines), act.signature)
        return Effect(tuple(balance.spent_in_full() for balance in self.balances.values()), gap=True)

    def _spent(self, share: Share) -> Balance:
        account, amount = share
        balance = self.balance(account)
        if balance.frozen_at:
            raise Refused("budget.frozen", kind=str(balance.kind), name=balance.name, seq=balance.frozen_at)
        spent, cap = balance.spent, balance.cap
        if amount.mixes_with(cap):
            raise other_measure(balance)
        if (  # `amount.fits(balance.left)`, without making what is left
            spent.nano_rho + amount.nano_rho > cap.nano_rho
            or spent.atto_delta + amount.atto_delta > cap.atto_delta
            or spent.nano_epsilon + amount.nano_epsilon > cap.nano_epsilon
        ):
            raise exhausted(balance, share)
        return balance.after_spending(amount)

    def _ended(self, act: Settled | Lost) -> Effect:
        payers = self.open.get(act.reservation)
        if payers is None:
            raise Refused("budget.not_reserved", seq=act.reservation)
        if not isinstance(act, Settled) or not act.incident:
            return Effect(ends=act.reservation)
        hurt = tuple(b._replace(incidents=b.incidents + 1) for b in map(self.balance, payers))
        return Effect(hurt, ends=act.reservation)


def exhausted(balance: Balance, share: Share) -> Refused:
    """The refusal of a charge above a cap.

    `requested_rho`, `left_rho`, `cap_rho` (and `…_delta`, `…_epsilon`) are the integers; `requested`, `left`, `cap` are the
    text that people read: whoever knows ε puts it there (`refusal.facts["left"] = "ε 0.42"`). What is left of a population
    is not said: it would tell each project, for nothing, what the others ask.
    """
    amounts = {"requested": share.amount, "left": balance.left, "cap": balance.cap}
    measure = _what_does_not_fit(share.amount, balance.left)
    facts: dict[str, Any] = {"kind": str(balance.kind), "name": balance.name}
    for name, amount in amounts.items():
        facts[f"{name}_rho"], facts[f"{name}_delta"] = amount.nano_rho, amount.atto_delta
        facts[f"{name}_epsilon"] = amount.nano_epsilon
        facts[name] = f"{facts[f'{name}_{measure}']} {_UNITS[measure]}"
    if measure == "delta":
        return Refused("budget.keys_exhausted", **{name: facts[name] for name in ("kind", "name", "requested")})
    if balance.kind is AccountKind.POPULATION:
        return Refused("budget.population_exhausted", name=balance.name, requested=facts["requested"])
    return Refused("budget.exhausted", **facts)


_UNITS = {"epsilon": "nano-epsilon", "rho": "nano-rho", "delta": "atto-delta"}


def _what_does_not_fit(amount: Amount, left: Amount) -> str:
    if amount.nano_epsilon > left.nano_epsilon:
        return "epsilon"
    return "rho" if amount.nano_rho > left.nano_rho else "delta"


def other_measure(balance: Balance) -> Refused:
    """The refusal of a charge counted otherwise than the account it is for."""
    return Refused("budget.other_measure", kind=str(balance.kind), name=balance.name)


def unlawful(seq: int, reason: Exception) -> Tampered:
    """The words for an entry that the rules would have refused."""
    return Tampered("budget.entry_unlawful", seq=seq, why=str(reason))
