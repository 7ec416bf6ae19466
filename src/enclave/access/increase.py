"""What has become of a wish for more budget?

asked → granted | refused | withdrawn. A member of a project asks, an officer grants it by the signed raise of a cap that
the ledger keeps for good (`enclave budget raise`), or refuses with a reason. The wish itself changes no cap.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, insert, select, update

from enclave.access.project import find_project, projects_of
from enclave.access.tables import increases
from enclave.audit import Event, declare, record
from enclave.audit.event import now
from enclave.errors import BadInput, NotFound, Refused
from enclave.people import Action, Member, Permissions, refusals_recorded
from enclave.people.permissions import Facts
from enclave.store import reading

LONGEST_REASON = 2_000
EPSILON = re.compile(r"\d{1,3}(\.\d{1,6})?")


class IncreaseState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


MOVES: dict[IncreaseState, frozenset[IncreaseState]] = {
    IncreaseState.ASKED: frozenset({IncreaseState.GRANTED, IncreaseState.REFUSED, IncreaseState.WITHDRAWN}),
    IncreaseState.GRANTED: frozenset(),
    IncreaseState.REFUSED: frozenset(),
    IncreaseState.WITHDRAWN: frozenset(),
}

OWNERS: dict[IncreaseState, str] = {
    IncreaseState.ASKED: "officer",
    IncreaseState.GRANTED: "nobody",
    IncreaseState.REFUSED: "nobody",
    IncreaseState.WITHDRAWN: "nobody",
}

EVENTS: dict[IncreaseState, str] = {
    IncreaseState.ASKED: declare("increase.asked", "a member of a project asked for more budget"),
    IncreaseState.GRANTED: declare("increase.granted", "an officer raised the caps a request for more budget names"),
    IncreaseState.REFUSED: declare("increase.refused", "an officer refused a request for more budget"),
    IncreaseState.WITHDRAWN: declare("increase.withdrawn", "the author took a request for more budget back"),
}


@dataclass(frozen=True)
class Increase:
    """A wish for higher caps, as ε at the dataset's δ; "" where a cap shall stay as it is."""

    id: str
    project: str
    author: str
    epsilon_project: str
    epsilon_researcher: str
    reason: str
    state: IncreaseState
    asked_at: str
    decided_at: str
    decided_by: str
    answer: str

    def card(self) -> dict[str, Any]:
        """As those concerned see it."""
        return {
            "increase": self.id,
            "project": self.project,
            "author": self.author,
            "epsilon_project": self.epsilon_project,
            "epsilon_researcher": self.epsilon_researcher,
            "reason": self.reason,
            "state": self.state.value,
            "asked_at": self.asked_at,
            "decided_by": self.decided_by,
            "answer": self.answer,
        }

    @property
    def wanted(self) -> dict[tuple[str, str], str]:
        """(kind, name) of each account → the ε its cap shall have."""
        own = f"{self.project}/{self.author}"
        caps = {("project", self.project): self.epsilon_project, ("researcher", own): self.epsilon_researcher}
        return {account: epsilon for account, epsilon in caps.items() if epsilon}


def account_facts(db: Engine, project: str | None) -> Facts:
    """What Cedar needs to know of an account: whose it is."""
    return {"members": find_project(db, project).members if project else ()}


def ask(
    db: Engine,
    permissions: Permissions,
    member: Member,
    project: str,
    *,
    epsilon_project: str = "",
    epsilon_researcher: str = "",
    reason: str,
) -> Increase:
    """Ask for higher caps; BadInput when nothing sensible is asked, NotFound when the project is not the member's."""
    with refusals_recorded(db, member.id, Action.BUDGET_ASK, project):
        if project not in {mine.id for mine in projects_of(db, member.id)}:
            raise NotFound("access.no_project")
        allowed = permissions.check(member, Action.BUDGET_ASK, account_facts(db, project))
        _check(epsilon_project, epsilon_researcher, reason)
        row = {
            "id": "inc_" + secrets.token_hex(8),
            "project": project,
            "author": member.id,
            "epsilon_project": epsilon_project,
            "epsilon_researcher": epsilon_researcher,
            "reason": reason.strip(),
            "state": IncreaseState.ASKED.value,
            "asked_at": now(),
            "decided_at": "",
            "decided_by": "",
            "answer": "",
        }
        detail = {"project": project, "epsilon_project": epsilon_project, "epsilon_researcher": epsilon_researcher}
        with record(db, Event(EVENTS[IncreaseState.ASKED], member.id, row["id"], {**detail, **allowed.trace()})) as tx:
            tx.execute(insert(increases), row)
    return load(db, row["id"])


def _check(epsilon_project: str, epsilon_researcher: str, reason: str) -> None:
    named = {"epsilon_project": epsilon_project, "epsilon_researcher": epsilon_researcher}
    if not any(named.values()):
        raise BadInput("access.no_increase_named", place="epsilon_project")
    for place, value in named.items():
        if value and (not EPSILON.fullmatch(value) or not value.isascii() or not Decimal(value) > 0):
            raise BadInput("access.epsilon_malformed", place=place)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise BadInput("access.text_length", place="reason", longest=LONGEST_REASON)


def load(db: Engine, increase: str) -> Increase:
    """The request for more budget; NotFound when there is none. Asks nobody's permission."""
    found = next(_stored(db, increases.c.id == increase), None)
    if found is None:
        raise NotFound("access.no_increase")
    return found


def listing_increases(db: Engine, permissions: Permissions, member: Member) -> tuple[Increase, ...]:
    """The requests for more budget the member may see, oldest first."""
    return tuple(
        one for one in _stored(db) if permissions.may(member, Action.BUDGET_READ, account_facts(db, one.project))
    )


def withdraw_increase(db: Engine, member: Member, increase: str) -> Increase:
    """Take one's own request back."""
    found = load(db, increase)
    if found.author != member.id:
        raise NotFound("access.no_increase")
    return _moved(db, found, IncreaseState.WITHDRAWN, member.id, "", {})


def refuse_increase(db: Engine, permissions: Permissions, officer: Member, increase: str, *, reason: str) -> Increase:
    """Refuse a request for more budget, saying why."""
    with refusals_recorded(db, officer.id, Action.BUDGET_REFUSE, increase):
        found = load(db, increase)
        allowed = permissions.check(officer, Action.BUDGET_REFUSE, account_facts(db, found.project))
        if not 0 < len(reason.strip()) <= LONGEST_REASON:
            raise BadInput("access.text_length", place="reason", longest=LONGEST_REASON)
        return _moved(db, found, IncreaseState.REFUSED, officer.id, reason.strip(), allowed.trace())


def check_grantable(db: Engine, increase: str) -> Increase:
    """The request, if it still waits for an officer."""
    found = load(db, increase)
    _check_move(found, IncreaseState.GRANTED)
    return found


def granted_increase(db: Engine, officer: Member, increase: str, *, why: str) -> Increase:
    """Note that the caps a request names were raised; the raises themselves are signed and in the ledger."""
    return _moved(db, load(db, increase), IncreaseState.GRANTED, officer.id, why.strip(), {})


def _check_move(found: Increase, to: IncreaseState) -> None:
    if to not in MOVES[found.state]:
        raise Refused("access.increase_decided", increase=found.id, state=found.state.value)


def _moved(db: Engine, found: Increase, to: IncreaseState, actor: str, answer: str, trace: dict[str, str]) -> Increase:
    _check_move(found, to)
    detail = {"project": found.project, "answer": answer, **trace}
    change = {"state": to.value, "decided_at": now(), "decided_by": actor, "answer": answer}
    as_read = (increases.c.id == found.id, increases.c.state == found.state.value)
    with record(db, Event(EVENTS[to], actor, found.id, detail)) as tx:
        if tx.execute(update(increases).where(*as_read).values(change)).rowcount != 1:
            raise Refused("access.moved_meanwhile", request=found.id)
    return load(db, found.id)


def _stored(db: Engine, *where: Any) -> Iterator[Increase]:
    query = select(increases).where(*where).order_by(increases.c.asked_at, increases.c.id)
    with reading(db) as connection:
        rows = connection.execute(query).all()
    for row in rows:
        fields = row._asdict()
        yield Increase(**{**fields, "state": IncreaseState(fields["state"])})
