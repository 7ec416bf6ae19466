"""Who is this?

A `Member` exists only as the outcome of `token.authenticate`: name, roles and key come from a certificate the home
signed. Their private key rests sealed under a key that only their token gives, so signing needs the token each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from enclave.errors import BadInput, Refused, Tampered
from enclave.people.roles import Role
from enclave.store import Signature, open_sealed
from enclave.store.keyring import key_from_secret, sign_with

_ID = re.compile(r"[a-z][a-z0-9._-]{1,30}")
_RESERVED = frozenset({"home", "system", "unknown"})
"""Actors of events that are nobody's account."""

KEY_PURPOSE = "domicile member key"


@dataclass(frozen=True)
class Member:
    """A person with an account, as their certificate has them."""

    id: str
    real_name: str
    roles: frozenset[Role]
    public_key: str
    expires_at: str
    sealed_key: bytes = field(repr=False)
    sealed_for: str = field(repr=False)

    def sign(self, message: bytes, token: str) -> Signature:
        """The member's own signature; Refused when `token` is not theirs."""
        try:
            private = open_sealed(key_from_secret(token, KEY_PURPOSE), self.sealed_key, self.sealed_for)
        except Tampered as other_token:
            raise Refused("people.token_not_theirs", member=self.id) from other_token
        return sign_with(private, message)


def check_id(member_id: str) -> None:
    """BadInput unless `member_id` can be a login name."""
    if not _ID.fullmatch(member_id) or member_id in _RESERVED:
        raise BadInput("people.id_malformed", place="id")


def check_real_name(real_name: str) -> None:
    """BadInput unless `real_name` is one line of printable text. No account is anybody's in particular without one."""
    if not real_name.strip() or len(real_name) > 64 or not real_name.isprintable():
        raise BadInput("people.real_name_malformed", place="real_name")
