"""What can a ledger entry say?

Eight acts, each a frozen value with one spelling (`detail`) and one reading (`read_act`). An entry in the database is an
act with its number, its instant and its link to the entry before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from enclave.audit import Head, Link, canonical
from enclave.budget.accounts import Account, AccountKind
from enclave.budget.amount import Amount
from enclave.errors import BadInput, EnclaveError, Tampered
from enclave.store import Signature

Fact = str | int
Facts = Mapping[str, Fact]


def check_facts(what: Facts) -> None:
    """BadInput unless every fact is text or a whole number."""
    for name, value in what.items():
        if type(name) is not str or type(value) not in (str, int):
            raise BadInput("budget.bad_fact", place=str(name), name=str(name))


@dataclass(frozen=True)
class Share:
    """What one account pays of a charge. Nothing is an amount too: a project paying alone for a stored answer."""

    account: Account
    amount: Amount


@dataclass(frozen=True)
class Charge:
    """Everything one question costs, in every account it costs something, and the facts that name the question."""

    shares: tuple[Share, ...]
    what: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        accounts = [share.account for share in self.shares]
        if not accounts or len(set(accounts)) != len(accounts):
            raise BadInput("budget.bad_charge")
        if len({a.project for a in accounts if a.project}) > 1:
            raise BadInput("budget.two_projects")
        check_facts(self.what)
        object.__setattr__(self, "what", dict(self.what))  # ours alone: the caller's dict may change later

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(share.account for share in self.shares)

    @property
    def project(self) -> str:
        """The one project that asks; "" when only populations are charged."""
        return next((a.project for a in self.accounts if a.project), "")


@dataclass(frozen=True)
class Opened:
    """An account exists from here on."""

    KIND: ClassVar[str] = "opened"
    account: Account
    cap: Amount
    actor: str
    why: str

    def detail(self) -> dict[str, Any]:
        return {"account": self.account.pair(), "cap": self.cap.pair(), "actor": self.actor, "why": self.why}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Opened:
        return cls(_account(d["account"]), Amount(*d["cap"]), d["actor"], d["why"])


@dataclass(frozen=True)
class Raised:
    """An officer signed a higher cap."""

    KIND: ClassVar[str] = "raised"
    account: Account
    old: Amount
    new: Amount
    officer: str
    signature: Signature

    def detail(self) -> dict[str, Any]:
        caps = {"from": self.old.pair(), "to": self.new.pair()}
        return {"account": self.account.pair(), **caps, "officer": self.officer, **_signed(self.signature)}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Raised:
        old, new = Amount(*d["from"]), Amount(*d["to"])
        return cls(_account(d["account"]), old, new, d["officer"], Signature(d["public_key"], d["signature"]))


@dataclass(frozen=True)
class Frozen:
    """The account pays for nothing until an officer thaws it."""

    KIND: ClassVar[str] = "frozen"
    account: Account
    actor: str
    why: str

    def detail(self) -> dict[str, Any]:
        return {"account": self.account.pair(), "actor": self.actor, "why": self.why}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Frozen:
        return cls(_account(d["account"]), d["actor"], d["why"])


@dataclass(frozen=True)
class Thawed:
    """An officer signed that the freeze of entry `lifts` is over."""

    KIND: ClassVar[str] = "thawed"
    account: Account
    lifts: int
    officer: str
    signature: Signature

    def detail(self) -> dict[str, Any]:
        who = {"officer": self.officer, **_signed(self.signature)}
        return {"account": self.account.pair(), "lifts": self.lifts, **who}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Thawed:
        return cls(_account(d["account"]), d["lifts"], d["officer"], Signature(d["public_key"], d["signature"]))


@dataclass(frozen=True)
class Reserved:
    """A charge is spent; from here on the extract may be opened."""

    KIND: ClassVar[str] = "reserved"
    charge: Charge

    def detail(self) -> dict[str, Any]:
        shares = [[*share.account.pair(), *share.amount.pair()] for share in self.charge.shares]
        return {"shares": shares, "what": self.charge.what}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Reserved:
        shares = tuple(Share(_account(s[:2]), Amount(*s[2:])) for s in d["shares"])
        return cls(Charge(shares, d["what"]))


@dataclass(frozen=True)
class Settled:
    """The question of a reservation was carried out. `digest` binds the stored answer; "" when none is kept."""

    KIND: ClassVar[str] = "settled"
    reservation: int
    key: str
    digest: str
    incident: bool
    what: Facts

    def detail(self) -> dict[str, Any]:
        answer = {"key": self.key, "digest": self.digest, "incident": self.incident}
        return {"reservation": self.reservation, **answer, "what": dict(self.what)}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Settled:
        return cls(d["reservation"], d["key"], d["digest"], d["incident"], d["what"])


@dataclass(frozen=True)
class Lost:
    """The broker ended between reservation and settlement. What was reserved stays spent."""

    KIND: ClassVar[str] = "lost"
    reservation: int

    def detail(self) -> dict[str, Any]:
        return {"reservation": self.reservation}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Lost:
        return cls(d["reservation"])


@dataclass(frozen=True)
class Gap:
    """An officer signed that this ledger, ending at `actual`, goes on though the witness, `lines` long, saw `seen`."""

    KIND: ClassVar[str] = "gap"
    seen: Head
    actual: Head
    lines: int
    officer: str
    signature: Signature

    def excuses(self, line: int, head: Head) -> bool:
        """True for a head, in that line of the witness, which the gap covers."""
        return line <= self.lines and head.seq > self.actual.seq

    def detail(self) -> dict[str, Any]:
        heads = {"seen": list(self.seen), "actual": list(self.actual), "lines": self.lines}
        return {**heads, "officer": self.officer, **_signed(self.signature)}

    @classmethod
    def read(cls, d: dict[str, Any]) -> Gap:
        signature = Signature(d["public_key"], d["signature"])
        return cls(Head(*d["seen"]), Head(*d["actual"]), d["lines"], d["officer"], signature)


Act = Opened | Raised | Frozen | Thawed | Reserved | Settled | Lost | Gap
ACTS: dict[str, type[Act]] = {act.KIND: act for act in (Opened, Raised, Frozen, Thawed, Reserved, Settled, Lost, Gap)}


def _account(pair: list[str]) -> Account:
    return Account(AccountKind(pair[0]), pair[1])


def _signed(signature: Signature) -> dict[str, str]:
    return {"public_key": signature.public_key, "signature": signature.value}


@dataclass(frozen=True)
class Entry:
    """One entry as stored."""

    seq: int
    at: str
    kind: str
    text: str
    """The detail as it is stored and chained, to the byte."""
    previous: str
    hash: str

    def __post_init__(self) -> None:
        if not all(type(part) is str for part in (self.at, self.kind, self.text, self.previous, self.hash)):
            raise Tampered("budget.entry_unreadable", seq=self.seq)  # SQLite keeps any type in any column

    @property
    def link(self) -> Link:
        return Link(self.seq, body(self.at, self.kind, self.text), self.previous, self.hash)

    @property
    def detail(self) -> dict[str, Any]:
        """The facts of the entry."""
        return self.act.detail()

    @property
    def act(self) -> Act:
        """What the entry says; Tampered when it says nothing we know, or more, or in another spelling."""
        try:
            act = ACTS[self.kind].read(json.loads(self.text))
            whole = canonical(act.detail()).decode() == self.text
        except (KeyError, TypeError, ValueError, IndexError, EnclaveError) as broken:
            raise Tampered("budget.entry_unreadable", seq=self.seq) from broken
        if not whole:
            raise Tampered("budget.entry_unreadable", seq=self.seq)
        return act


def body(at: str, kind: str, text: str) -> dict[str, str]:
    """What the chain binds: the detail as text, so that not even its spelling can change."""
    return {"at": at, "kind": kind, "detail": text}
