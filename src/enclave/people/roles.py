"""What are the roles, and what are they called?

The names are fixed (permissions are written for them); what people read about them is data in `roles.toml`. What a role
may *do* stands in `permissions.cedar` alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from enclave.errors import BadInput


class Role(StrEnum):
    """The parts people play in a home (mission, "who uses it")."""

    OPERATOR = "operator"
    STEWARD = "steward"
    OFFICER = "officer"
    RESEARCHER = "researcher"
    CHECKER = "checker"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class RoleCard:
    """A role in plain words. `alone`: whoever holds it holds no other."""

    en: str
    zh: str
    does_en: str
    does_zh: str
    alone: bool

    def name(self, lang: str) -> str:
        """What the role is called in `lang`."""
        return self.zh if lang == "zh" else self.en


def load_roles(path: Path) -> Mapping[Role, RoleCard]:
    """The cards of all roles; BadInput when one is missing, unknown or misses a field."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        cards = {Role(name): RoleCard(**fields) for name, fields in raw.items()}
    except (OSError, ValueError, TypeError) as broken:
        raise BadInput("people.roles_unreadable", place=path.name) from broken
    if missing := [role for role in Role if role not in cards]:
        raise BadInput("people.roles_missing", place=path.name, roles=", ".join(missing))
    return cards


def parse_roles(names: Iterable[str], cards: Mapping[Role, RoleCard]) -> frozenset[Role]:
    """The roles named; BadInput for none, for an unknown one, and for one that must stand alone beside another."""
    try:
        roles = frozenset(Role(name) for name in names)
    except ValueError as unknown:
        raise BadInput("people.role_unknown", place="roles", roles=", ".join(Role)) from unknown
    if not roles:
        raise BadInput("people.role_unknown", place="roles", roles=", ".join(Role))
    if len(roles) > 1 and (alone := sorted(role for role in roles if cards[role].alone)):
        raise BadInput("people.role_alone", place="roles", role=alone[0])
    return roles
