"""What does a person see of an output before they decide on it?

All that would leave, and what the rules said of it. For those who may decide alone: its author and their project see what
they declared when somebody else has passed it, not before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Engine

from domicile.rules import Declared
from enclave.errors import NotFound, Tampered
from enclave.people.member import Member
from enclave.people.permissions import Action, Permissions
from enclave.vet.bundle import parse
from enclave.vet.listing import Standing, find
from enclave.vet.policy import Rules


@dataclass(frozen=True)
class Looked:
    """An output, and what it declares."""

    standing: Standing
    declared: Declared


def look(db: Engine, permissions: Permissions, member: Member, output: str, rules: Rules) -> Looked:
    """What `output` declares; Refused (and an event) for who may not decide on it, NotFound where nothing of it was kept
    (it was no output), Tampered where it is not what was vetted."""
    standing = find(db, output)
    permissions.enforce(db, member, Action.OUTPUT_DECIDE, output, standing.facts())
    if not standing.bundle:
        raise NotFound("vet.nothing_kept", output=output[:64])
    if hashlib.sha256(standing.bundle.encode()).hexdigest() != standing.sha256:
        raise Tampered("release.bundle_altered", output=output[:64])
    return Looked(standing, parse(standing.bundle, rules.limits))
