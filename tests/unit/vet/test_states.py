"""The machine of outputs is total, and its table of moves is the design's."""

from __future__ import annotations

from domicile.wire.shapes import OutputCard
from enclave.audit import KINDS
from enclave.vet import EVENTS, MOVES, OWNERS, State


def test_every_state_has_moves_an_owner_and_an_event() -> None:
    assert set(MOVES) == set(OWNERS) == set(EVENTS) == set(State)
    assert len(set(EVENTS.values())) == len(State)
    assert set(EVENTS.values()) <= set(KINDS)


def test_every_state_can_be_reached() -> None:
    assert set().union(*MOVES.values()) | {State.DECLARED} == set(State)


def test_nothing_leaves_undecided() -> None:
    assert [state for state in State if State.RELEASED in MOVES[state]] == [State.CONSOLIDATED]
    assert {state for state in State if State.CONSOLIDATED in MOVES[state]} == {State.CHECKED, State.IN_REVIEW}


def test_the_wire_knows_every_state() -> None:
    assert set(OutputCard.model_fields["state"].annotation.__args__) == {state.value for state in State}  # type: ignore[union-attr]  # a Literal
