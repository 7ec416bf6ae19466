"""What has become of a wish for access?

draft → submitted → approved-in-part → granted; returned, refused, withdrawn. `MOVES` says where a request may go,
`OWNERS` whose turn it is, `EVENTS` what is recorded on arrival. Who may move it is Cedar's to say. A request that is not
for you and one that is not there are the same to you.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, select, update

from enclave.access.approval import Statement, Verdict, statements_of
from enclave.access.content import Content, content_of
from enclave.access.tables import requests
from enclave.audit import Transaction, declare
from enclave.errors import NotFound, Refused, Tampered
from enclave.people import Action, Allowed, Member, Permissions, Role, refusals_recorded
from enclave.people.permissions import Facts
from enclave.store import reading


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED_IN_PART = "approved-in-part"
    GRANTED = "granted"
    RETURNED = "returned"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Owner(StrEnum):
    AUTHOR = "author"
    APPROVER = "approver"
    NOBODY = "nobody"


MOVES: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.WITHDRAWN}),
    State.SUBMITTED: frozenset({State.APPROVED_IN_PART, State.RETURNED, State.REFUSED, State.WITHDRAWN}),
    # to itself: a grade that asks for three approvals has two in part
    State.APPROVED_IN_PART: frozenset(
        {State.APPROVED_IN_PART, State.GRANTED, State.RETURNED, State.REFUSED, State.WITHDRAWN}
    ),
    State.RETURNED: frozenset({State.SUBMITTED, State.WITHDRAWN}),
    State.GRANTED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

OWNERS: dict[State, Owner] = {
    State.DRAFT: Owner.AUTHOR,
    State.SUBMITTED: Owner.APPROVER,
    State.APPROVED_IN_PART: Owner.APPROVER,
    State.RETURNED: Owner.AUTHOR,
    State.GRANTED: Owner.NOBODY,
    State.REFUSED: Owner.NOBODY,
    State.WITHDRAWN: Owner.NOBODY,
}

EVENTS: dict[State, str] = {
    State.DRAFT: declare("request.drafted", "a researcher began a request for access"),
    State.SUBMITTED: declare("request.submitted", "the author signed a request and handed it in"),
    State.APPROVED_IN_PART: declare("request.approved", "one of the approvals a request needs was signed"),
    State.GRANTED: declare("request.granted", "the last approval a request needs was signed"),
    State.RETURNED: declare("request.returned", "an approver gave a request back for changes"),
    State.REFUSED: declare("request.refused", "an approver refused a request for good"),
    State.WITHDRAWN: declare("request.withdrawn", "the author took a request back"),
}


@dataclass(frozen=True)
class Request:
    """A request as it stands, with what was signed about it in the current round."""

    id: str
    state: State
    round: int
    content: Content
    statements: tuple[Statement, ...]
    created_at: str
    changed_at: str

    @property
    def author(self) -> str:
        return self.content.author

    @property
    def approvals(self) -> tuple[Statement, ...]:
        """The approvals of this round, in order."""
        return tuple(s for s in self.statements if s.verdict is Verdict.APPROVED)

    @property
    def next_step(self) -> Role | None:
        """The role whose approval is due; None when none is."""
        if OWNERS[self.state] is not Owner.APPROVER:
            return None
        return self.content.steps[len(self.approvals)]

    def facts(self) -> Facts:
        """What Cedar needs to know of it."""
        return {
            "author": self.author,
            "people": self.content.asked.people,
            "approvers": [approval.member for approval in self.approvals],
        }


def check_move(request: Request, to: State) -> None:
    """Refused unless a request may go from its state to `to`."""
    if to not in MOVES[request.state]:
        raise Refused(
            "access.move_not_allowed",
            request=request.id,
            state=request.state.value,
            to=to.value,
            owner=OWNERS[request.state].value,
        )


def _request_of(row: Any, statements: tuple[Statement, ...]) -> Request:
    try:
        content, state = content_of(row.content), State(row.state)
    except (ValueError, TypeError) as altered:
        raise Tampered("access.request_altered", request=row.id) from altered
    if (content.request, content.author) != (row.id, row.author):
        raise Tampered("access.request_altered", request=row.id)
    return Request(row.id, state, row.round, content, statements, row.created_at, row.changed_at)


def load(db: Engine, request_id: str) -> Request:
    """The request; NotFound when there is none. Asks nobody's permission: `visible` does."""
    with reading(db) as connection:
        row = connection.execute(select(requests).where(requests.c.id == request_id)).first()
        if row is None:
            raise NotFound("access.no_request")
        return _request_of(row, statements_of(connection, row.id, row.round))


def find(db: Engine, permissions: Permissions, member: Member, request_id: str) -> Request:
    """The request, if it is there and the member may read it; asking for another is on record."""
    with refusals_recorded(db, member.id, Action.REQUEST_READ, request_id):
        return visible(db, permissions, member, request_id)


def visible(db: Engine, permissions: Permissions, member: Member, request_id: str) -> Request:
    """`find` for verbs, which record their refusals themselves."""
    request = load(db, request_id)
    if not permissions.may(member, Action.REQUEST_READ, request.facts()):
        raise NotFound("access.no_request")
    return request


def listing(db: Engine, permissions: Permissions, member: Member) -> tuple[Request, ...]:
    """The requests the member may read, oldest first."""
    with reading(db) as connection:
        rows = connection.execute(select(requests).order_by(requests.c.created_at, requests.c.id)).all()
        found = [_request_of(row, statements_of(connection, row.id, row.round)) for row in rows]
    return tuple(r for r in found if permissions.may(member, Action.REQUEST_READ, r.facts()))


def permitted(
    db: Engine, permissions: Permissions, member: Member, action: Action, request_id: str
) -> tuple[Request, Allowed]:
    """The request and the yes to do `action` to it; NotFound or Refused otherwise."""
    request = visible(db, permissions, member, request_id)
    return request, permissions.check(member, action, request.facts())


def move(tx: Transaction, request: Request, to: State, *, at: str, round_: int | None = None) -> None:
    """Put the request into state `to`, provided nobody moved it since it was read."""
    check_move(request, to)
    as_read = (
        requests.c.id == request.id,
        requests.c.state == request.state,
        requests.c.changed_at == request.changed_at,
    )
    change = {"state": to.value, "changed_at": at, "round": request.round if round_ is None else round_}
    if tx.execute(update(requests).where(*as_read).values(change)).rowcount != 1:
        raise Refused("access.moved_meanwhile", request=request.id)
