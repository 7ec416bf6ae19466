"""Who stops a grant, and who lets it go on?

active ⇄ suspended; revoked and expired for good. The machine (`MOVES`) stands in `grant`; here are its verbs. The home
signs each new standing, so a revoked grant does not come back by editing a row.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Engine, select, update

from enclave.access.grant import EVENTS, MOVES, Grant, Standing, load, standing_message
from enclave.access.tables import grants
from enclave.audit import Event, record
from enclave.audit.event import now
from enclave.errors import BadInput, Refused, Tampered
from enclave.people import Action, Member, Permissions, refusals_recorded
from enclave.store import Keyring, reading

SYSTEM = "system"
"""The actor of what time does."""

LONGEST_REASON = 2000


def check_reason(reason: str) -> None:
    """BadInput unless a reason was written, in words that fit."""
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise BadInput("access.reason_missing", place="reason", longest=LONGEST_REASON)


def check_move(grant: Grant, to: Standing) -> None:
    """Refused unless a grant may go from its state to `to`."""
    if to not in MOVES[grant.state]:
        raise Refused("access.grant_move", project=grant.project, state=grant.state.value, to=to.value)


def _move(
    db: Engine, keyring: Keyring, grant: Grant, to: Standing, actor: str, reason: str, trace: dict[str, str]
) -> None:
    check_move(grant, to)
    at = now()
    signature = keyring.sign(standing_message(grant.id, grant.project, grant.digest, to.value, at)).value
    detail = {"project": grant.project, "from": grant.state.value, "reason": reason, **trace}
    as_read = (grants.c.id == grant.id, grants.c.state == grant.state.value)
    change = {"state": to.value, "changed_at": at, "changed_by": actor, "reason": reason, "signature": signature}
    with record(db, Event(EVENTS[to], actor, grant.id, detail)) as tx:
        if tx.execute(update(grants).where(*as_read).values(change)).rowcount != 1:
            raise Refused("access.grant_move", project=grant.project, state="moved", to=to.value)


def _change(
    db: Engine, keyring: Keyring, permissions: Permissions, actor: Member, project: str, reason: str, to: Standing
) -> Grant:
    action = _ACTIONS[to]
    with refusals_recorded(db, actor.id, action, project):
        grant = load(db, keyring, grants.c.project, project)
        allowed = permissions.check(actor, action, grant.facts())
        check_reason(reason)
        _move(db, keyring, grant, to, actor.id, reason, allowed.trace())
    return load(db, keyring, grants.c.project, project)


_ACTIONS = {
    Standing.SUSPENDED: Action.GRANT_SUSPEND,
    Standing.ACTIVE: Action.GRANT_RESUME,
    Standing.REVOKED: Action.GRANT_REVOKE,
}


def suspend(
    db: Engine, keyring: Keyring, permissions: Permissions, actor: Member, project: str, *, reason: str
) -> Grant:
    """Stop the grant of a project until it is resumed."""
    return _change(db, keyring, permissions, actor, project, reason, Standing.SUSPENDED)


def resume(
    db: Engine, keyring: Keyring, permissions: Permissions, actor: Member, project: str, *, reason: str
) -> Grant:
    """Let a suspended grant go on."""
    return _change(db, keyring, permissions, actor, project, reason, Standing.ACTIVE)


def revoke(
    db: Engine, keyring: Keyring, permissions: Permissions, actor: Member, project: str, *, reason: str
) -> Grant:
    """End the grant of a project for good."""
    return _change(db, keyring, permissions, actor, project, reason, Standing.REVOKED)


def expire_due(db: Engine, keyring: Keyring, *, at: str | None = None) -> tuple[str, ...]:
    """Mark the grants whose last day has passed; their projects. `grant.check` refuses them with or without the mark."""
    at = at or now()
    open_states = [state.value for state in Standing if Standing.EXPIRED in MOVES[state]]
    with reading(db) as connection:
        found = connection.execute(select(grants.c.project).where(grants.c.state.in_(open_states))).scalars().all()
    expired = []
    for project in found:
        with suppress(Tampered):  # a forged grant holds up no other; `grant.check` refuses it and records that
            grant = load(db, keyring, grants.c.project, project)
            if at >= grant.ends_at:
                _move(db, keyring, grant, Standing.EXPIRED, SYSTEM, "", {})
                expired.append(project)
    return tuple(expired)
