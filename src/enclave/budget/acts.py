"""What can a ledger entry say?

Eight acts. Each is a frozen value whose fields are what it says; how a field is spelled follows from its kind alone, so
that an act has one spelling (`text`) and one reading (`read`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from enclave.audit import Head, canonical
from enclave.budget.accounts import Account, AccountKind
from enclave.budget.amount import Amount
from enclave.budget.charge import Charge, Facts
from enclave.store import Signature

Detail = dict[str, Any]
_Spelling = tuple[Callable[[str, Any], Detail], Callable[[str, Detail], Any]]


def _one(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> _Spelling:
    """A kind of field that is one value, under the field's own name."""
    return lambda name, value: {name: write(value)}, lambda name, detail: read(detail[name])


def _as_it_is(value: Any) -> Any:
    return value


_SPELLINGS: Mapping[str, _Spelling] = {
    **dict.fromkeys(("str", "int", "bool"), _one(_as_it_is, _as_it_is)),
    "Account": _one(Account.pair, lambda pair: Account(AccountKind(pair[0]), pair[1])),
    "Amount": _one(Amount.parts, lambda parts: Amount(*parts)),
    "Head": _one(list, lambda pair: Head(*pair)),
    "Facts": _one(dict, _as_it_is),
    "Charge": (lambda _, charge: charge.detail(), lambda _, detail: Charge.read(detail)),
    "Signature": (
        lambda _, signed: {"public_key": signed.public_key, "signature": signed.value},
        lambda _, detail: Signature(detail["public_key"], detail["signature"]),
    ),
}
"""The kinds of fields, by the names they are declared with."""


class Said:
    """What every act can: be spelled, and be read back."""

    KIND: ClassVar[str]
    NAMES: ClassVar[Mapping[str, str]] = {}
    """Fields that the ledger calls otherwise."""

    def detail(self) -> Detail:
        """As it stands in the ledger."""
        said: Detail = {}
        for name, (write, _) in self._spellings():
            said |= write(self.NAMES.get(name, name), getattr(self, name))
        return said

    @property
    def text(self) -> str:
        """The canonical spelling of `detail`."""
        return canonical(self.detail()).decode()

    @classmethod
    def read(cls, detail: Detail) -> Self:
        """The act a detail says; KeyError, TypeError, ValueError or a refusal when it says none."""
        return cls(**{name: read(cls.NAMES.get(name, name), detail) for name, (_, read) in cls._spellings()})

    @classmethod
    def _spellings(cls) -> Iterator[tuple[str, _Spelling]]:
        for field in fields(cls):  # type: ignore[arg-type]  # every act is a dataclass
            yield field.name, _SPELLINGS[str(field.type)]


@dataclass(frozen=True)
class Opened(Said):
    """An account exists from here on."""

    KIND = "opened"
    account: Account
    cap: Amount
    actor: str
    why: str


@dataclass(frozen=True)
class Raised(Said):
    """An officer signed a higher cap."""

    KIND = "raised"
    NAMES: ClassVar = {"old": "from", "new": "to"}
    account: Account
    old: Amount
    new: Amount
    officer: str
    signature: Signature


@dataclass(frozen=True)
class Frozen(Said):
    """The account pays for nothing until an officer thaws it."""

    KIND = "frozen"
    account: Account
    actor: str
    why: str


@dataclass(frozen=True)
class Thawed(Said):
    """An officer signed that the freeze of entry `lifts` is over."""

    KIND = "thawed"
    account: Account
    lifts: int
    officer: str
    signature: Signature


@dataclass(frozen=True)
class Reserved(Said):
    """A charge is spent; from here on the extract may be opened."""

    KIND = "reserved"
    charge: Charge

    @property
    def text(self) -> str:
        return self.charge.text


@dataclass(frozen=True)
class Settled(Said):
    """The question of a reservation was carried out. `digest` binds the stored answer; "" when none is kept."""

    KIND = "settled"
    reservation: int
    key: str
    digest: str
    incident: bool
    what: Facts


@dataclass(frozen=True)
class Lost(Said):
    """The broker ended between reservation and settlement. What was reserved stays spent."""

    KIND = "lost"
    reservation: int


@dataclass(frozen=True)
class Gap(Said):
    """An officer signed that this ledger, ending at `actual`, goes on though the witness, `lines` long, saw `seen`."""

    KIND = "gap"
    seen: Head
    actual: Head
    lines: int
    officer: str
    signature: Signature

    def excuses(self, line: int, head: Head) -> bool:
        """True for a head, in that line of the witness, which the gap covers."""
        return line <= self.lines and head.seq > self.actual.seq


Act = Opened | Raised | Frozen | Thawed | Reserved | Settled | Lost | Gap
ACTS: dict[str, type[Act]] = {act.KIND: act for act in (Opened, Raised, Frozen, Thawed, Reserved, Settled, Lost, Gap)}
