"""Where is a batch on its way, whose turn is it, and which event does each move leave?

How far its runs are is read from them and stored nowhere else.
"""

from __future__ import annotations

from enum import StrEnum

from enclave.audit import declare
from enclave.errors import Refused


class BatchState(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


MOVES: dict[BatchState, frozenset[BatchState]] = {
    BatchState.OPEN: frozenset({BatchState.COMPLETE, BatchState.CANCELLED}),
    BatchState.COMPLETE: frozenset({BatchState.CANCELLED}),
    BatchState.CANCELLED: frozenset(),
}
"""Open: runs of it are still to be handed in. Complete: all are, whatever becomes of them."""

OWNERS: dict[BatchState, str] = {
    BatchState.OPEN: "worker",
    BatchState.COMPLETE: "worker",
    BatchState.CANCELLED: "nobody",
}

EVENTS: dict[BatchState, str] = {
    BatchState.OPEN: declare("batch.submitted", "a member handed in a plan of runs"),
    BatchState.COMPLETE: declare("batch.complete", "the last run of a plan was handed in"),
    BatchState.CANCELLED: declare("batch.cancelled", "a plan was called off, with every run of it that had not ended"),
}


def check_move(old: BatchState, new: BatchState) -> None:
    """Refused unless `new` may follow `old`."""
    if new not in MOVES[old]:
        raise Refused("batch.move_not_allowed", old=old, new=new)
