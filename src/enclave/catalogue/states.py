"""Through which states does an extract go, who moves it, and which event says so?

`building` and `checked` are states of a draft, known by their events alone; a row stands from `shelved` on, so a crash
before that leaves a folder without a row, which the next build replaces.
"""

from __future__ import annotations

from enum import StrEnum

from enclave import audit
from enclave.errors import Refused


class State(StrEnum):
    """Where an extract is in its life."""

    BUILDING = "building"  # raw rows are being read; nothing can be asked
    CHECKED = "checked"  # written, read back, every promise re-verified
    SHELVED = "shelved"  # the version that questions are put to
    SUPERSEDED = "superseded"  # a newer version is shelved; old answers still name this one
    RETIRED = "retired"  # taken off the shelf for a written reason; kept, and opened for nobody
    DESTROYED = "destroyed"  # its key is gone


class Owner(StrEnum):
    """Who makes the next move."""

    INTAKE = "intake"
    STEWARD = "steward"
    NOBODY = "nobody"


MOVES: dict[State, frozenset[State]] = {
    State.BUILDING: frozenset({State.CHECKED}),
    State.CHECKED: frozenset({State.SHELVED}),
    State.SHELVED: frozenset({State.SUPERSEDED, State.RETIRED, State.DESTROYED}),
    State.SUPERSEDED: frozenset({State.RETIRED, State.DESTROYED}),
    State.RETIRED: frozenset({State.DESTROYED}),
    State.DESTROYED: frozenset(),
}

OWNERS: dict[State, Owner] = {
    State.BUILDING: Owner.INTAKE,
    State.CHECKED: Owner.INTAKE,
    State.SHELVED: Owner.STEWARD,
    State.SUPERSEDED: Owner.STEWARD,
    State.RETIRED: Owner.STEWARD,
    State.DESTROYED: Owner.NOBODY,
}

EVENTS: dict[State, str] = {
    State.BUILDING: audit.declare("extract.building", "raw tables are being read under a signed descriptor"),
    State.CHECKED: audit.declare("extract.checked", "an extract was written, read back and re-verified"),
    State.SHELVED: audit.declare("extract.shelved", "an extract became the version that questions are put to"),
    State.SUPERSEDED: audit.declare("extract.superseded", "a newer version of the dataset was shelved"),
    State.RETIRED: audit.declare(
        "extract.retired", "an extract left the shelf for a written reason; nobody is given it"
    ),
    State.DESTROYED: audit.declare("extract.destroyed", "the key of an extract was destroyed"),
}


def check_move(old: State, new: State) -> None:
    """Refused unless an extract that is `old` may become `new`."""
    if new not in MOVES[old]:
        allowed = ", ".join(sorted(MOVES[old])) or "-"
        raise Refused("catalogue.no_such_move", old=old, new=new, allowed=allowed)
