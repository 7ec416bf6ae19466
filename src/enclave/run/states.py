"""Which states does a run go through, who moves it on, and which event records the move?

`queued` follows `submitted` at once unless a person must read the code first (`run.review`); a run that follows others is
`waiting` until they finished, and `skipped` when one did not (`run.follow`). A run whose
worker died goes back to `queued` and gets a new lease epoch: an older epoch can no longer finish it.
"""

from __future__ import annotations

from enum import StrEnum

from enclave import audit
from enclave.errors import Refused


class RunState(StrEnum):
    SUBMITTED = "submitted"
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    SKIPPED = "skipped"


MOVES: dict[RunState, tuple[RunState, ...]] = {
    RunState.SUBMITTED: (
        RunState.WAITING,
        RunState.QUEUED,
        RunState.REFUSED,
        RunState.CANCELLED,
        RunState.SKIPPED,
    ),
    RunState.WAITING: (RunState.QUEUED, RunState.CANCELLED, RunState.SKIPPED),
    RunState.QUEUED: (RunState.RUNNING, RunState.CANCELLED, RunState.REFUSED),
    RunState.RUNNING: (
        RunState.FINISHED,
        RunState.FAILED,
        RunState.KILLED,
        RunState.CANCELLED,
        RunState.QUEUED,
    ),
    RunState.FINISHED: (),
    RunState.FAILED: (),
    RunState.KILLED: (),
    RunState.CANCELLED: (),
    RunState.REFUSED: (),
    RunState.SKIPPED: (),
}
"""What may follow a state."""

OWNERS: dict[RunState, str] = {
    RunState.SUBMITTED: "reviewer",
    RunState.WAITING: "worker",
    RunState.QUEUED: "worker",
    RunState.RUNNING: "worker",
    RunState.FINISHED: "vet",
    RunState.FAILED: "researcher",
    RunState.KILLED: "researcher",
    RunState.CANCELLED: "nobody",
    RunState.REFUSED: "researcher",
    RunState.SKIPPED: "researcher",
}
"""Who has the next word on a run in this state."""

EVENTS: dict[RunState, str] = {
    RunState.SUBMITTED: audit.declare("run.submitted", "a member handed in a notebook"),
    RunState.WAITING: audit.declare("run.waiting", "a run waits for those it follows"),
    RunState.QUEUED: audit.declare("run.queued", "a run waits for a worker"),
    RunState.RUNNING: audit.declare("run.leased", "a worker took a run, under a new epoch"),
    RunState.FINISHED: audit.declare("run.finished", "a run ended by itself; its declared outputs are stored"),
    RunState.FAILED: audit.declare("run.failed", "a run ended with an error; nothing of it is kept"),
    RunState.KILLED: audit.declare("run.killed", "a run broke a limit and was ended"),
    RunState.CANCELLED: audit.declare("run.cancelled", "a run was called off"),
    RunState.REFUSED: audit.declare("run.refused", "a run may not start"),
    RunState.SKIPPED: audit.declare("run.skipped", "a run was skipped because one that it follows did not finish"),
}
"""The event that records entering a state."""


def check_move(old: RunState, new: RunState) -> None:
    """Refused unless `new` may follow `old`."""
    if new not in MOVES[old]:
        raise Refused("run.move_not_allowed", old=old, new=new, allowed=", ".join(MOVES[old]) or "-")
