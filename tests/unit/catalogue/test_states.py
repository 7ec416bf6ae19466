"""Every state of an extract has its moves, its owner and its event; what is not listed is refused."""

from __future__ import annotations

from itertools import product

import pytest

from enclave.audit import KINDS
from enclave.catalogue.states import EVENTS, MOVES, OWNERS, State, check_move
from enclave.errors import Refused


def test_every_state_has_moves_an_owner_and_an_event() -> None:
    assert set(MOVES) == set(OWNERS) == set(EVENTS) == set(State)
    assert all(kind in KINDS for kind in EVENTS.values())


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_only_listed_moves_are_allowed(old: State, new: State) -> None:
    if new in MOVES[old]:
        check_move(old, new)
    else:
        with pytest.raises(Refused) as refused:
            check_move(old, new)
        assert refused.value.words("zh")


def test_a_destroyed_extract_stays_destroyed() -> None:
    assert not MOVES[State.DESTROYED]
