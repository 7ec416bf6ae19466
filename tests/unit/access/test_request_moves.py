"""Every state × verb × member: only the moves of the table happen, only by those the table names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from enclave import access
from enclave.access.request import EVENTS, MOVES, OWNERS, Owner, Request, State, load
from enclave.audit import KINDS
from enclave.errors import EnclaveError, NotFound, Refused
from enclave.store.database import connect

if TYPE_CHECKING:
    from tests.conftest import Cast

WAYS: dict[State, tuple[str, ...]] = {
    State.DRAFT: (),
    State.SUBMITTED: ("submit",),
    State.APPROVED_IN_PART: ("submit", "steward"),
    State.GRANTED: ("submit", "steward", "officer"),
    State.RETURNED: ("submit", "return"),
    State.REFUSED: ("submit", "refuse"),
    State.WITHDRAWN: ("withdraw",),
}

ARRIVES: dict[tuple[State, str, str], State] = {
    (State.DRAFT, "submit", "researcher"): State.SUBMITTED,
    (State.RETURNED, "submit", "researcher"): State.SUBMITTED,
    **{
        (state, "withdraw", "researcher"): State.WITHDRAWN
        for state in (State.DRAFT, State.SUBMITTED, State.APPROVED_IN_PART, State.RETURNED)
    },
    **{(State.SUBMITTED, "approve", who): State.APPROVED_IN_PART for who in ("steward", "both", "everything")},
    **{(State.APPROVED_IN_PART, "approve", who): State.GRANTED for who in ("officer", "both", "everything")},
    **{
        (state, verb, who): to
        for state, first in ((State.SUBMITTED, "steward"), (State.APPROVED_IN_PART, "officer"))
        for who in (first, "both", "everything")
        for verb, to in (("return", State.RETURNED), ("refuse", State.REFUSED))
    },
}
"""All that may happen to a request of `researcher`; whatever is not here is refused and leaves everything as it was."""

EVERYBODY = (
    "operator", "steward", "officer", "researcher", "researcher2", "checker", "auditor", "both", "everything"
)  # fmt: skip


def do(cast: Cast, verb: str, who: str, request: Request) -> Request:
    member, token = cast.member(who), cast.tokens[who]
    verbs: dict[str, Callable[[], Request]] = {
        "submit": lambda: access.submit(cast.db, cast.permissions, member, request.id, token=token),
        "withdraw": lambda: access.withdraw(cast.db, cast.permissions, member, request.id),
        "approve": lambda: access.approve(cast.db, cast.keyring, cast.permissions, member, request.id, token=token),
        "return": lambda: access.return_(
            cast.db, cast.keyring, cast.permissions, member, request.id, token=token, reason="Say more."
        ),
        "refuse": lambda: access.refuse(
            cast.db, cast.keyring, cast.permissions, member, request.id, token=token, reason="No."
        ),
    }
    return verbs[verb]()


def reach(cast: Cast, state: State) -> Request:
    request = cast.draft()
    for step in WAYS[state]:
        if step in ("steward", "officer"):
            request = cast.approve(request, step)
        else:
            request = do(cast, step, "researcher" if step in ("submit", "withdraw") else "steward", request)
    return request


def copy_of(cast: Cast, folder: Path) -> Cast:
    """The same home again, so that a move that happens spoils no other try."""
    cast.db.dispose()
    file = Path(shutil.copy(cast.place.home / "state.db", folder / "state.db"))
    return replace(cast, db=connect(f"sqlite:///{file}"))


@pytest.mark.parametrize("state", State)
def test_from_each_state_only_the_tables_moves_happen(cast: Cast, state: State, tmp_path: Path) -> None:
    request = reach(cast, state)
    assert request.state is state
    for verb, who in product(("submit", "withdraw", "approve", "return", "refuse"), EVERYBODY):
        wanted = ARRIVES.get((state, verb, who))
        if wanted is None:
            refused_before = len(cast.events("access.refused"))
            with pytest.raises((Refused, NotFound)):
                do(cast, verb, who, request)
            assert load(cast.db, request.id) == request, f"{who} could {verb} a request that is {state}"
            assert len(cast.events("access.refused")) == refused_before + 1
        else:
            other = copy_of(cast, tmp_path)
            assert do(other, verb, who, request).state is wanted
            assert other.events(EVENTS[wanted])[-1]["actor"] == who
            other.db.dispose()


def test_the_moves_of_the_product_are_the_tables() -> None:
    assert {(here, to) for (here, _, _), to in ARRIVES.items()} == {
        (here, to) for here, there in MOVES.items() for to in there if here is not to
    }


def test_the_machine_is_total_and_its_ends_are_nobodys() -> None:
    assert set(MOVES) == set(OWNERS) == set(EVENTS) == set(WAYS) == set(State)
    assert {state for state in State if not MOVES[state]} == {s for s in State if OWNERS[s] is Owner.NOBODY}
    assert set(EVENTS.values()) <= set(KINDS)


def test_every_state_but_the_first_is_reached_from_another() -> None:
    reached = {to for here, there in MOVES.items() for to in there if to is not here}
    assert reached == set(State) - {State.DRAFT}


def test_a_request_moved_meanwhile_is_left_alone(cast: Cast) -> None:
    from enclave.access.request import move
    from enclave.audit import Event, record

    stale = cast.submitted()
    cast.approve(stale, "steward")
    with (
        pytest.raises(EnclaveError) as no,
        record(cast.db, Event(EVENTS[State.WITHDRAWN], "researcher", stale.id)) as tx,
    ):
        move(tx, stale, State.WITHDRAWN, at=stale.changed_at)
    assert no.value.code == "access.moved_meanwhile"
    assert load(cast.db, stale.id).state is State.APPROVED_IN_PART
    assert not cast.events("request.withdrawn")
