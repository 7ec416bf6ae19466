"""What does one question cost, in which accounts?

In every account it draws on, or in none: a charge is one value, written once and spent whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from enclave.audit import quoted
from enclave.budget.accounts import Account, AccountKind
from enclave.budget.amount import Amount
from enclave.errors import BadInput

Fact = str | int
Facts = Mapping[str, Fact]


def check_facts(what: Facts) -> None:
    """BadInput unless every fact is text or a whole number."""
    for name, value in what.items():
        if type(name) is not str or type(value) not in (str, int):
            raise BadInput("budget.bad_fact", place=str(name), name=str(name))


def spelled_facts(what: Facts) -> str:
    """The canonical spelling of facts."""
    spelled = [f"{quoted(n)}:{quoted(v) if type(v) is str else v}" for n, v in sorted(what.items())]
    return f"{{{','.join(spelled)}}}"


class Share(NamedTuple):
    """What one account pays of a charge. Nothing is an amount too: a project paying alone for a stored answer."""

    account: Account
    amount: Amount


@dataclass(frozen=True)
class Charge:
    """Everything one question costs, in every account it costs something, and the facts that name the question."""

    shares: tuple[Share, ...]
    what: Facts = field(default_factory=dict)
    accounts: tuple[Account, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        accounts = tuple([share.account for share in self.shares])
        if not accounts or len(set(accounts)) != len(accounts):
            raise BadInput("budget.bad_charge")
        if len({a.project for a in accounts if a.project}) > 1:
            raise BadInput("budget.two_projects")
        check_facts(self.what)
        object.__setattr__(self, "what", dict(self.what))  # ours alone: the caller's dict may change later
        object.__setattr__(self, "accounts", accounts)

    @property
    def project(self) -> str:
        """The one project that asks; "" when only populations are charged."""
        return project_of(self.accounts)

    def detail(self) -> dict[str, Any]:
        """As it stands in a ledger entry."""
        return {"shares": [[*s.account.pair(), *s.amount.parts()] for s in self.shares], "what": self.what}

    @property
    def text(self) -> str:
        """The canonical spelling of `detail`, written out: what a ledger's rate is made of."""
        shares = [f"[{account.spelled},{amount.spelled}]" for account, amount in self.shares]
        return f'{{"shares":[{",".join(shares)}],"what":{spelled_facts(self.what)}}}'

    @classmethod
    def read(cls, detail: dict[str, Any]) -> Charge:
        shares = tuple(Share(Account(AccountKind(s[0]), s[1]), Amount(*s[2:])) for s in detail["shares"])
        return cls(shares, detail["what"])


def project_of(accounts: Iterable[Account]) -> str:
    """The one project among accounts that pay together; "" when all are populations."""
    return next((a.project for a in accounts if a.project), "")
