"""May this member do that with a run or a plan of runs, and may they know that it is there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enclave.bootstrap.house import House
from enclave.errors import NotFound, Refused
from enclave.people import Action, Member


def enforce_in_sight(
    house: House, member: Member, action: Action, what: str, about: Mapping[str, Any], absent: NotFound
) -> None:
    """Refused who may not do it; who may not even see it is told that there is none (`absent`)."""
    try:
        house.permissions.enforce(house.db, member, action, what, dict(about))
    except Refused:
        if house.permissions.may(member, Action.RUN_READ, dict(about)):
            raise
        raise absent from None
