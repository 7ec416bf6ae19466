"""Whose key is this, and as what might they sign with it?

A certificate says: this public key is this member's, who has this name and these roles, from then till then. The home
signs it, so a row swapped or edited in the database is noticed. Certificates are kept for good: a signature stays valid
when its key is replaced, provided it was made while a certificate covered it. Revoking shortens a certificate to now.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from enclave.audit import Transaction, canonical
from enclave.errors import Tampered
from enclave.people.roles import Role
from enclave.people.tables import certificates
from enclave.store import Keyring, Signature, verify_signature


@dataclass(frozen=True)
class Certificate:
    """The home's word on one public key. Instants are UTC ISO text; the last one is no longer covered."""

    id: str
    member: str
    real_name: str
    roles: frozenset[Role]
    public_key: str
    starts_at: str
    ends_at: str
    signature: str = ""

    def message(self) -> bytes:
        """The bytes the home signs."""
        body = {"kind": "domicile.certificate/1", **self.__dict__, "roles": sorted(self.roles)}
        del body["signature"]
        return canonical(body)

    def covers(self, at: str) -> bool:
        """Was the certificate in force at `at`?"""
        return self.starts_at <= at < self.ends_at

    def check(self, home_key: str) -> None:
        """Tampered unless the home signed exactly this."""
        if not signature_holds(self.message(), Signature(home_key, self.signature)):
            raise Tampered("people.account_altered", member=self.member)


@lru_cache(maxsize=4096)
def signature_holds(message: bytes, signature: Signature) -> bool:
    """Does the signature hold? A function of its arguments alone, so remembering it hides no change in the database."""
    try:
        verify_signature(message, signature)
    except Tampered:
        return False
    return True


_OF_PEOPLE = select(certificates).where(certificates.c.member.in_(bindparam("people", expanding=True)))


def certify(
    keyring: Keyring, member: str, real_name: str, roles: frozenset[Role], key: str, till: tuple[str, str]
) -> Certificate:
    """A new signed certificate, in force from `till[0]` until `till[1]`."""
    draft = Certificate("crt_" + secrets.token_hex(8), member, real_name, roles, key, *till)
    return replace(draft, signature=keyring.sign(draft.message()).value)


def keep(tx: Transaction, certificate: Certificate) -> None:
    """Store a new certificate."""
    tx.execute(insert(certificates), {**certificate.__dict__, "roles": json.dumps(sorted(certificate.roles))})


def end(tx: Transaction, keyring: Keyring, certificate: Certificate, at: str) -> None:
    """Shorten a certificate to `at`; what was signed before stays signed."""
    if certificate.ends_at <= at:
        return
    shorter = replace(certificate, ends_at=max(at, certificate.starts_at))
    signature = keyring.sign(shorter.message()).value
    change = update(certificates).where(certificates.c.id == certificate.id)
    tx.execute(change.values(ends_at=shorter.ends_at, signature=signature))


def certificate_of(row: Any) -> Certificate:
    """The certificate a row holds, unchecked; Tampered when it is not even one."""
    try:
        roles = frozenset(Role(name) for name in json.loads(row.roles))
    except (ValueError, TypeError) as broken:
        raise Tampered("people.account_altered", member=row.member) from broken
    columns = (row.public_key, row.starts_at, row.ends_at, row.signature)
    return Certificate(row.id, row.member, row.real_name, roles, *columns)


def papers_of(connection: Connection, people: Collection[str]) -> Sequence[Row[Any]]:
    """Every certificate these members ever had, as it is stored."""
    return connection.execute(_OF_PEOPLE, {"people": list(people)}).all()


def certificates_in(rows: Iterable[Row[Any]], home_key: str) -> tuple[Certificate, ...]:
    """The certificates that rows hold; Tampered when one is not the home's."""
    papers = tuple(map(certificate_of, rows))
    for paper in papers:
        paper.check(home_key)
    return papers


def certificates_of(connection: Connection, home_key: str, people: Collection[str]) -> tuple[Certificate, ...]:
    """Every certificate these members ever had; Tampered when one is not the home's."""
    return certificates_in(papers_of(connection, people), home_key)


def certified(
    connection: Connection, home_key: str, *, member: str, public_key: str, role: Role, at: str
) -> Certificate | None:
    """The certificate under which `member` could sign with `public_key` as `role` at `at`; None when there is none."""
    for paper in certificates_of(connection, home_key, [member]):
        if had_role([paper], member=member, public_key=public_key, role=role, at=at):
            return paper
    return None


def had_role(
    papers: Collection[Certificate], *, member: str, role: Role, at: str, public_key: str | None = None
) -> bool:
    """Had `member` that `role` at `at` (and, where asked, that key)? It ends with the token: by its date, or revoked."""
    return any(
        paper.member == member and role in paper.roles and paper.covers(at) and public_key in (None, paper.public_key)
        for paper in papers
    )
