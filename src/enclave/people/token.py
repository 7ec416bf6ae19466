"""Is this token somebody's, still?

A token is 256 random bits, shown once; the database holds its SHA-256 (a random secret needs no slow hash) and the
member's private key sealed under it. One token per member at a time. `authenticate` trusts no row: the certificate must
be the home's, and the sealed key must open under the token and be the certified one, so a token row pointed at another
member's certificate is noticed. It does the same work whether the token exists or not.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from enclave.audit import Event, Transaction, declare, record
from enclave.audit.event import now
from enclave.errors import BadInput, NotFound, Refused, Tampered
from enclave.people.certificate import Certificate, certificate_of, certify, end, keep
from enclave.people.member import KEY_PURPOSE, Member
from enclave.people.permissions import Action, Permissions
from enclave.people.refusal import refusals_recorded
from enclave.people.roles import Role
from enclave.people.tables import certificates, tokens
from enclave.store import Keyring, open_sealed, reading, seal
from enclave.store.keyring import key_from_secret, new_signing_key, sign_with

PREFIX = "dom_"
DEFAULT_DAYS = 30
LONGEST_DAYS = 366

RENEWED = declare("people.token_renewed", "a member's token was replaced by a new one")
REVOKED = declare("people.token_revoked", "a member's token was made useless at once")

_DECOY_KEY = "00" * 32
_DECOY = Certificate("crt_none", "unknown", "unknown", frozenset(), _DECOY_KEY, "", "", "00" * 64)
_DECOY_SEALED = seal(bytes(32), bytes(32), "decoy")


@dataclass(frozen=True)
class Holder:
    """To whom a token is issued."""

    id: str
    real_name: str
    roles: frozenset[Role]


def hash_of(token: str) -> str:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def later(at: str, days: int) -> str:
    """`days` after `at`; BadInput for a number of days no token may live."""
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput("people.days_out_of_range", place="days", longest=LONGEST_DAYS)
    return (datetime.fromisoformat(at) + timedelta(days=days)).isoformat(timespec="microseconds")


def issue(
    tx: Transaction, keyring: Keyring, holder: Holder, *, days: int, at: str, private: bytes | None = None
) -> str:
    """A new token for `holder`, with `private` (or a fresh key) certified and sealed under it. Ends their older ones."""
    _end_all(tx, keyring, holder.id, at)
    private = private or new_signing_key()[0]
    public, expires = sign_with(private, b"").public_key, later(at, days)
    certificate = certify(keyring, holder.id, holder.real_name, holder.roles, public, (at, expires))
    keep(tx, certificate)
    token = PREFIX + secrets.token_urlsafe(32)
    row = {
        "hash": hash_of(token),
        "member": holder.id,
        "certificate": certificate.id,
        "sealed_key": seal(key_from_secret(token, KEY_PURPOSE), private, certificate.id).hex(),
        "issued_at": at,
        "expires_at": expires,
    }
    tx.execute(insert(tokens), row)
    return token


def _end_all(tx: Transaction, keyring: Keyring, member: str, at: str) -> None:
    for row in tx.execute(select(certificates).where(certificates.c.member == member)).all():
        certificate = certificate_of(row)
        certificate.check(keyring.public_key)
        end(tx, keyring, certificate, at)
    live = update(tokens).where(tokens.c.member == member, tokens.c.revoked_at.is_(None))
    tx.execute(live.values(revoked_at=at))


def _find(db: Engine, token: str) -> tuple[Row[Any] | None, Certificate]:
    """The token's row and certificate; no row and a decoy of the same shape when there is none."""
    with reading(db) as connection:
        row = connection.execute(select(tokens).where(tokens.c.hash == hash_of(token))).first()
        wanted = row.certificate if row else _DECOY.id
        paper = connection.execute(select(certificates).where(certificates.c.id == wanted)).first()
    try:
        return row, certificate_of(paper) if paper else _DECOY
    except Tampered:
        return row, _DECOY  # it holds under no key, so whoever asked refuses it


def _sealed_key(row: Row[Any]) -> bytes:
    try:
        return bytes.fromhex(row.sealed_key)
    except (ValueError, TypeError):
        return b""  # opens under no token


def _opens(token: str, sealed: bytes, certificate: Certificate) -> bool:
    """Does the token open this sealed key, and is it the one certified?"""
    try:
        private = open_sealed(key_from_secret(token, KEY_PURPOSE), sealed, certificate.id)
    except Tampered:
        return False
    return sign_with(private, b"").public_key == certificate.public_key


def _genuine(certificate: Certificate, home_key: str) -> bool:
    try:
        certificate.check(home_key)
    except Tampered:
        return False
    return True


def authenticate(db: Engine, keyring: Keyring, token: str, *, at: str | None = None) -> Member:
    """The member whose token this is; Refused (unknown, revoked, expired) or Tampered otherwise, on record."""
    at = at or now()
    token = token if token.isascii() else ""  # ours are ASCII; what is not may have no bytes to hash
    row, certificate = _find(db, token)
    sealed = _sealed_key(row) if row else _DECOY_SEALED
    genuine = _genuine(certificate, keyring.public_key)
    opens = _opens(token, sealed, certificate)
    with refusals_recorded(db, row.member if row else "unknown", "authenticate", "token"):
        if row is None:
            raise Refused("people.token_unknown")
        if not genuine or not opens or certificate.member != row.member:
            raise Tampered("people.account_altered", member=row.member)
        if row.revoked_at is not None:
            raise Refused("people.token_revoked")
        if at >= row.expires_at or not certificate.covers(at):
            raise Refused("people.token_expired", at=min(row.expires_at, certificate.ends_at)[:16])
    identity = (certificate.member, certificate.real_name, certificate.roles, certificate.public_key)
    return Member(*identity, certificate.ends_at, sealed, certificate.id)


def holder_of(db: Engine, keyring: Keyring, member_id: str) -> Holder:
    """The newest certified name and roles of a member; NotFound when there is no such member."""
    newest = certificates.c.starts_at.desc()
    with reading(db) as connection:
        row = connection.execute(
            select(certificates).where(certificates.c.member == member_id).order_by(newest)
        ).first()
    if row is None:
        raise NotFound("people.no_member", member=member_id)
    certificate = certificate_of(row)
    certificate.check(keyring.public_key)
    return Holder(certificate.member, certificate.real_name, certificate.roles)


def _old_key(db: Engine, member_id: str, old_token: str) -> bytes:
    """The signing key an old token of this member opens; Refused for a stranger's or a revoked one."""
    row, certificate = _find(db, old_token)
    if row is None or row.member != member_id or row.revoked_at is not None:
        raise Refused("people.token_not_theirs", member=member_id)
    sealed = _sealed_key(row)
    if not _opens(old_token, sealed, certificate):
        raise Tampered("people.account_altered", member=member_id)
    return open_sealed(key_from_secret(old_token, KEY_PURPOSE), sealed, certificate.id)


def renew(
    db: Engine,
    keyring: Keyring,
    permissions: Permissions,
    actor: Member,
    member_id: str,
    *,
    old_token: str | None = None,
    days: int = DEFAULT_DAYS,
) -> str:
    """A new token, printed once. The old token carries the signing key over; without it a new key is made."""
    with refusals_recorded(db, actor.id, Action.PEOPLE_RENEW, member_id):
        allowed = permissions.check(actor, Action.PEOPLE_RENEW, {"login": member_id})
        holder = holder_of(db, keyring, member_id)
        private = _old_key(db, member_id, old_token) if old_token else None
        at = now()
        detail = {"expires_at": later(at, days), "same_key": private is not None, **allowed.trace()}
        with record(db, Event(RENEWED, actor.id, member_id, detail)) as tx:
            return issue(tx, keyring, holder, days=days, at=at, private=private)


def revoke(db: Engine, keyring: Keyring, permissions: Permissions, actor: Member, member_id: str) -> None:
    """End the member's token and certificate now. What they signed before stays signed."""
    with refusals_recorded(db, actor.id, Action.PEOPLE_REVOKE, member_id):
        allowed = permissions.check(actor, Action.PEOPLE_REVOKE, {"login": member_id})
        holder_of(db, keyring, member_id)
        with record(db, Event(REVOKED, actor.id, member_id, allowed.trace())) as tx:
            _end_all(tx, keyring, member_id, now())
