"""Approve, return or refuse?

The approvers' verbs. Each signs its word with the approver's own key over the content as stored, after making sure that
it still is what the author signed. The last approval opens the project and makes the grant in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import Engine

from enclave.access import grant as grants
from enclave.access.approval import Statement, Verdict, check_submission, keep, sign
from enclave.access.project import open_project
from enclave.access.request import EVENTS, Request, State, check_move, load, move, permitted, visible
from enclave.access.standing import check_reason
from enclave.audit import Event, record
from enclave.audit.event import now
from enclave.errors import Refused
from enclave.people import Action, Allowed, Member, Permissions, Role, certificates_of, refusals_recorded
from enclave.store import Keyring, reading

_APPROVING = {Role.STEWARD: Action.REQUEST_APPROVE_STEWARD, Role.OFFICER: Action.REQUEST_APPROVE_OFFICER}
_ARRIVES = {Verdict.RETURNED: State.RETURNED, Verdict.REFUSED: State.REFUSED}


def _check_unaltered(db: Engine, keyring: Keyring, request: Request) -> None:
    with reading(db) as connection:
        papers = certificates_of(connection, keyring.public_key, [s.member for s in request.statements])
    check_submission(papers, request.content, request.statements)


def _state_after(request: Request) -> State:
    done = len(request.approvals) + 1 == len(request.content.steps)
    return State.GRANTED if done else State.APPROVED_IN_PART


def _due(request: Request) -> Role:
    step = request.next_step
    assert step is not None, "the state was checked: an approval is due"
    return step


def _sign(
    db: Engine, keyring: Keyring, request: Request, member: Member, token: str, verdict: Verdict, reason: str
) -> Statement:
    """The member's signed word; Refused when their certificate ended since they were authenticated."""
    words = (request.round, len(request.approvals) + 1, _due(request), verdict, now(), reason)
    statement = sign(member, token, request.content, *words)
    with reading(db) as connection:
        papers = certificates_of(connection, keyring.public_key, [member.id])
    if not statement.holds(papers):
        raise Refused("access.account_ended", member=member.id)
    return statement


def approve(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    approver: Member,
    request_id: str,
    *,
    token: str,
    reason: str = "",
) -> Request:
    """Sign the approval that is due. The last one makes the grant: see `project_of` and `find_grant`."""
    with refusals_recorded(db, approver.id, "request.approve", request_id):
        request = visible(db, permissions, approver, request_id)
        to = _state_after(request)
        check_move(request, to)  # first: which role may approve depends on the step that is due
        allowed = permissions.check(approver, _APPROVING[_due(request)], request.facts())
        _check_unaltered(db, keyring, request)
        statement = _sign(db, keyring, request, approver, token, Verdict.APPROVED, reason)
        if statement.at >= request.content.ends_at:
            raise Refused("access.dates_past", request=request.id)
        with record(db, Event(EVENTS[to], approver.id, request.id, _detail(statement, allowed))) as tx:
            move(tx, request, to, at=statement.at)
            keep(tx, statement)
            if to is State.GRANTED:
                project = open_project(tx, request.content, approver.id, statement.at)
                grants.create(tx, keyring, request.content, project, approver.id, statement.at)
    return load(db, request_id)


def _detail(statement: Statement, allowed: Allowed) -> dict[str, object]:
    words = {"digest": statement.digest, "round": statement.round, "step": statement.step.value}
    signed = {"reason": statement.reason, "public_key": statement.public_key, "signature": statement.signature}
    return {**words, **signed, **allowed.trace()}


def _turn_down(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    approver: Member,
    request_id: str,
    token: str,
    reason: str,
    verdict: Verdict,
) -> Request:
    action = Action.REQUEST_RETURN if verdict is Verdict.RETURNED else Action.REQUEST_REFUSE
    with refusals_recorded(db, approver.id, action, request_id):
        request, allowed = permitted(db, permissions, approver, action, request_id)
        check_move(request, _ARRIVES[verdict])
        if _due(request) not in approver.roles:
            raise Refused("access.not_your_turn", request=request.id, role=_due(request).value)
        check_reason(reason)
        _check_unaltered(db, keyring, request)
        statement = _sign(db, keyring, request, approver, token, verdict, reason)
        to = _ARRIVES[verdict]
        with record(db, Event(EVENTS[to], approver.id, request.id, _detail(statement, allowed))) as tx:
            move(tx, request, to, at=statement.at)
            keep(tx, statement)
    return load(db, request_id)


def return_(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    approver: Member,
    request_id: str,
    *,
    token: str,
    reason: str,
) -> Request:
    """Give the request back to its author for changes, with a written reason. Approvals of this round are void."""
    return _turn_down(db, keyring, permissions, approver, request_id, token, reason, Verdict.RETURNED)


def refuse(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    approver: Member,
    request_id: str,
    *,
    token: str,
    reason: str,
) -> Request:
    """Refuse the request for good, with a written reason."""
    return _turn_down(db, keyring, permissions, approver, request_id, token, reason, Verdict.REFUSED)
