"""Whose budget is it, how much may it spend, and who may change that?

Three kinds of account, each with its own cap, none derived from another: a *population* (one per person register), a
*project*, and a *researcher's* share within a project, named `PROJECT/MEMBER`. A cap goes up by an officer's signature,
or the account is frozen; it never goes down and nothing spent comes back.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from enclave.audit import Head, canonical, quoted
from enclave.budget.amount import NOTHING, Amount
from enclave.errors import BadInput

LONGEST_NAME = 256


class AccountKind(StrEnum):
    """Which cap an account keeps."""

    POPULATION = "population"  # the persons of one register, over all datasets and versions that draw on it
    PROJECT = "project"
    RESEARCHER = "researcher"  # one member within one project


def _is_plain(name: str) -> bool:
    """No blanks at the ends, nothing invisible: two names that look alike must not be two accounts by accident."""
    visible = (
        name.isprintable() if name.isascii() else all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in name)
    )
    return 0 < len(name) <= LONGEST_NAME and name == name.strip() and visible


@dataclass(frozen=True)
class Account:
    """One account: its kind and its name."""

    kind: AccountKind
    name: str
    project: str | None = field(init=False, repr=False)
    """The project this account belongs to; None for a population."""
    spelled: str = field(init=False, repr=False)
    """`pair` as it is spelled within a list."""

    def __post_init__(self) -> None:
        if not isinstance(self.kind, AccountKind):
            raise BadInput("budget.no_such_kind", kinds=", ".join(AccountKind))
        parts = self.name.split("/")
        wanted = 2 if self.kind is AccountKind.RESEARCHER else 1
        if len(parts) != wanted or not all(map(_is_plain, parts)):
            raise BadInput("budget.bad_account_name", place=self.name, kind=str(self.kind))
        object.__setattr__(self, "project", None if self.kind is AccountKind.POPULATION else parts[0])
        object.__setattr__(self, "spelled", f"{quoted(self.kind)},{quoted(self.name)}")

    def __hash__(self) -> int:
        return hash(self.name)  # a third of the generated one's time, nine times a reservation

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is Account and self.name == other.name and self.kind is other.kind)

    def pair(self) -> list[str]:
        """As it stands in a ledger entry."""
        return [str(self.kind), self.name]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def population(register: str) -> Account:
    """The account of a person register."""
    return Account(AccountKind.POPULATION, register)


def project(name: str) -> Account:
    """The account of a project."""
    return Account(AccountKind.PROJECT, name)


def researcher(project_name: str, member: str) -> Account:
    """The account of a member within a project."""
    return Account(AccountKind.RESEARCHER, f"{project_name}/{member}")


class Balance(NamedTuple):
    """Where an account stands. `spent` counts every reservation, settled or not."""

    account: Account
    cap: Amount
    spent: Amount = NOTHING
    opened: int = 0
    """The entry that opened it."""
    frozen_at: int = 0
    """The entry that froze it; 0 when it is not frozen."""
    incidents: int = 0
    """How many charged questions failed on our side: shown beside ε as what the guarantee does not cover."""

    @property
    def kind(self) -> AccountKind:
        return self.account.kind

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def frozen(self) -> bool:
        return self.frozen_at > 0

    @property
    def left(self) -> Amount:
        """What may still be reserved; spent never passes the cap, so neither part is negative."""
        return self.cap - self.spent

    def spent_in_full(self) -> Balance:
        """Nothing left: what was spent of it is not known."""
        return self._replace(spent=self.cap)

    def after_spending(self, amount: Amount) -> Balance:
        # built in full: `_replace` costs five times as much, on the one path where it counts
        spent = self.spent + amount
        return Balance(self.account, self.cap, spent, self.opened, self.frozen_at, self.incidents)


def raise_message(account: Account, old: Amount, new: Amount) -> bytes:
    """What an officer signs to raise a cap. It names the old cap, so a signature serves once."""
    return canonical({"act": "raise", "account": account.pair(), "from": old.parts(), "to": new.parts()})


def gap_message(seen: Head, actual: Head, lines: int) -> bytes:
    """What an officer signs to go on with a ledger that ends at `actual` though the witness saw `seen`.

    `lines` is how many lines the witness had: what it is told later is not covered."""
    return canonical({"act": "gap", "seen": list(seen), "actual": list(actual), "lines": lines})


def thaw_message(account: Account, frozen_at: int) -> bytes:
    """What an officer signs to lift a freeze. It names the freezing entry, so a signature serves once."""
    return canonical({"act": "thaw", "account": account.pair(), "lifts": frozen_at})
