"""Who has an account here, and how do they get one?

The operator enrols everybody; the first operator is made when the home is, out of nothing, and only then. An operator
whose token ran out has nobody to ask, so whoever holds the home's keys may have it reissued: that is on record too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select

from enclave.audit import Event, Transaction, declare, record
from enclave.audit.event import now
from enclave.errors import Refused
from enclave.people.certificate import Certificate, certificate_of
from enclave.people.member import Member, check_id, check_real_name
from enclave.people.permissions import Action, Permissions
from enclave.people.refusal import refusals_recorded
from enclave.people.roles import Role, parse_roles
from enclave.people.tables import certificates, members
from enclave.people.token import DEFAULT_DAYS, Holder, holder_of, issue, later
from enclave.store import Keyring, reading

ADDED = declare("people.added", "a member was given an account, roles and a token")
FOUNDED = declare("people.founded", "the first operator of a home was given an account")
REISSUED = declare(
    "people.operator_reissued", "an operator without a live token was given one by whoever holds the home"
)

HOME = "home"
"""The actor of what a home does to itself."""


@dataclass(frozen=True)
class Entry:
    """One member as the list of accounts shows them."""

    id: str
    real_name: str
    roles: frozenset[Role]
    expires_at: str
    live: bool


def _enrol(tx: Transaction, keyring: Keyring, holder: Holder, by: str, days: int, at: str) -> str:
    if tx.execute(select(members.c.id).where(members.c.id == holder.id)).first():
        raise Refused("people.member_exists", member=holder.id)
    tx.execute(insert(members), {"id": holder.id, "created_at": at, "created_by": by})
    return issue(tx, keyring, holder, days=days, at=at)


def add(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    actor: Member,
    member_id: str,
    real_name: str,
    roles: Collection[str],
    *,
    days: int = DEFAULT_DAYS,
) -> str:
    """Give somebody an account; their token, to be shown once and kept nowhere."""
    with refusals_recorded(db, actor.id, Action.PEOPLE_ADD, member_id):
        allowed = permissions.check(actor, Action.PEOPLE_ADD)
        check_id(member_id)
        check_real_name(real_name)
        holder = Holder(member_id, real_name, parse_roles(roles, permissions.roles))
        at = now()
        detail = {"roles": sorted(holder.roles), "expires_at": later(at, days), **allowed.trace()}
        with record(db, Event(ADDED, actor.id, member_id, detail)) as tx:
            return _enrol(tx, keyring, holder, actor.id, days, at)


def first_operator(db: Engine, keyring: Keyring, member_id: str, real_name: str, *, days: int = DEFAULT_DAYS) -> str:
    """The account a home is born with; Refused once anybody has one."""
    with refusals_recorded(db, HOME, "operator.found", member_id):
        check_id(member_id)
        check_real_name(real_name)
        holder, at = Holder(member_id, real_name, frozenset({Role.OPERATOR})), now()
        with record(db, Event(FOUNDED, HOME, member_id, {"expires_at": later(at, days)})) as tx:
            if tx.execute(select(members.c.id)).first():
                raise Refused("people.operator_exists")
            return _enrol(tx, keyring, holder, HOME, days, at)


def reissue_operator(db: Engine, keyring: Keyring, member_id: str, *, days: int = DEFAULT_DAYS) -> str:
    """A new token for an operator while no operator's token lives; for whoever holds the home's keys."""
    holder = holder_of(db, keyring, member_id)
    at = now()
    with refusals_recorded(db, HOME, "operator.reissue", member_id):
        if Role.OPERATOR not in holder.roles:
            raise Refused("people.not_operator", member=member_id)
        with record(db, Event(REISSUED, HOME, member_id, {"expires_at": later(at, days)})) as tx:
            papers = [certificate_of(row) for row in tx.execute(select(certificates)).all()]
            if any(Role.OPERATOR in paper.roles and paper.covers(at) for paper in papers):
                raise Refused("people.operator_exists")
            return issue(tx, keyring, holder, days=days, at=at)


def listing(db: Engine, keyring: Keyring, *, at: str | None = None) -> tuple[Entry, ...]:
    """All accounts by their newest certificate; Tampered when one is not the home's."""
    at, home_key = at or now(), keyring.public_key
    with reading(db) as connection:
        rows = connection.execute(select(certificates).order_by(certificates.c.member, certificates.c.starts_at)).all()
    newest: dict[str, Certificate] = {}
    for paper in map(certificate_of, rows):
        paper.check(home_key)
        newest[paper.member] = paper
    return tuple(Entry(p.member, p.real_name, p.roles, p.ends_at, p.covers(at)) for p in newest.values())
