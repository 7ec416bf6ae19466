"""How does a researcher ask?

The author's verbs: draft, edit, submit, withdraw. Submitting signs the content with the author's own key, so that what
approvers read is what the author wrote.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, insert, update

from enclave.access.approval import Verdict, keep, sign
from enclave.access.content import Asked, content_for
from enclave.access.policy import AccessPolicy
from enclave.access.request import EVENTS, OWNERS, Owner, Request, State, check_move, load, move, permitted
from enclave.access.tables import requests
from enclave.audit import Event, declare, record
from enclave.audit.event import now
from enclave.catalogue.choices import check_grantable
from enclave.catalogue.dataset import Dataset
from enclave.errors import BadInput, Refused
from enclave.people import Action, Member, Permissions, Role, holder_of, refusals_recorded
from enclave.store import Keyring

EDITED = declare("request.edited", "the author changed a request that is theirs to change")


def _check_people(db: Engine, keyring: Keyring, asked: Asked, author: Member) -> None:
    if author.id in asked.people:
        raise BadInput("access.listed_twice", place="people")
    for person in asked.people:
        if Role.RESEARCHER not in holder_of(db, keyring, person).roles:
            raise BadInput("access.not_a_researcher", place="people", member=person)


def draft(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    policy: AccessPolicy,
    author: Member,
    asked: Asked,
    dataset: Dataset,
) -> Request:
    """Begin a request; nobody but its author and those who decide sees it."""
    with refusals_recorded(db, author.id, Action.REQUEST_CREATE, asked.dataset):
        allowed = permissions.check(author, Action.REQUEST_CREATE)
        _check_people(db, keyring, asked, author)
        check_grantable(db, asked.dataset, asked.version)
        request_id, at = "req_" + secrets.token_hex(8), now()
        content = content_for(request_id, author.id, asked, dataset, policy)
        row = {"id": request_id, "author": author.id, "state": State.DRAFT.value, "round": 0, "content": content.text()}
        detail = {"dataset": dataset.name, "digest": content.digest, **allowed.trace()}
        with record(db, Event(EVENTS[State.DRAFT], author.id, request_id, detail)) as tx:
            tx.execute(insert(requests), {**row, "created_at": at, "changed_at": at})
    return load(db, request_id)


def edit(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    policy: AccessPolicy,
    author: Member,
    request_id: str,
    asked: Asked,
    dataset: Dataset,
) -> Request:
    """Write a draft or returned request anew; approvals of earlier rounds never count for it."""
    with refusals_recorded(db, author.id, Action.REQUEST_EDIT, request_id):
        request, allowed = permitted(db, permissions, author, Action.REQUEST_EDIT, request_id)
        if OWNERS[request.state] is not Owner.AUTHOR:
            raise Refused("access.not_editable", request=request.id, state=request.state.value)
        _check_people(db, keyring, asked, author)
        content, at = content_for(request.id, request.author, asked, dataset, policy), now()
        detail = {"dataset": dataset.name, "digest": content.digest, **allowed.trace()}
        as_read = (requests.c.id == request.id, requests.c.changed_at == request.changed_at)
        with record(db, Event(EDITED, author.id, request.id, detail)) as tx:
            change = update(requests).where(*as_read).values(content=content.text(), changed_at=at)
            if tx.execute(change).rowcount != 1:
                raise Refused("access.moved_meanwhile", request=request.id)
    return load(db, request_id)


def submit(db: Engine, permissions: Permissions, author: Member, request_id: str, *, token: str) -> Request:
    """Sign the request and hand it in. From here on any change of its text shows."""
    with refusals_recorded(db, author.id, Action.REQUEST_SUBMIT, request_id):
        request, allowed = permitted(db, permissions, author, Action.REQUEST_SUBMIT, request_id)
        check_move(request, State.SUBMITTED)
        at, round_ = now(), request.round + 1
        if at >= request.content.ends_at:
            raise Refused("access.dates_past", request=request.id)
        statement = sign(author, token, request.content, round_, 0, Role.RESEARCHER, Verdict.SUBMITTED, at, "")
        detail = {"digest": statement.digest, "round": round_, **allowed.trace()}
        with record(db, Event(EVENTS[State.SUBMITTED], author.id, request.id, detail)) as tx:
            move(tx, request, State.SUBMITTED, at=at, round_=round_)
            keep(tx, statement)
    return load(db, request_id)


def withdraw(db: Engine, permissions: Permissions, author: Member, request_id: str) -> Request:
    """Take a request back, for good, while it is not granted."""
    with refusals_recorded(db, author.id, Action.REQUEST_WITHDRAW, request_id):
        request, allowed = permitted(db, permissions, author, Action.REQUEST_WITHDRAW, request_id)
        check_move(request, State.WITHDRAWN)
        detail = {"digest": request.content.digest, **allowed.trace()}
        with record(db, Event(EVENTS[State.WITHDRAWN], author.id, request.id, detail)) as tx:
            move(tx, request, State.WITHDRAWN, at=now())
    return load(db, request_id)
