"""May a run that follows others start by now?

It is queued when all that it follows have finished, and skipped when one of them ended otherwise; what follows it is skipped
in turn. Every worker asks, as often as it likes: what the database holds decides, each move is looked at again in the
transaction that makes it, so several workers and a killed one come to the same end.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import ColumnElement, Engine, exists, not_, select, update

from enclave import audit
from enclave.audit.event import now
from enclave.run.job import found_in
from enclave.run.states import EVENTS, MOVES, RunState, check_move
from enclave.run.tables import run_follows, runs
from enclave.store import reading

_before = runs.alias("before")
_FAILED = [state for state in RunState if not MOVES[state] and state is not RunState.FINISHED]


def _follows(*states: RunState, others: bool = False) -> ColumnElement[bool]:
    """True of a run that follows one in these states (or, `others`, one in any other)."""
    there = _before.c.state.in_(states)
    linked = (run_follows.c.run == runs.c.run) & (_before.c.run == run_follows.c.follows)
    return exists().where(linked, not_(there) if others else there).correlate(runs)


_MAY_START = (runs.c.state == RunState.WAITING) & not_(_follows(RunState.FINISHED, others=True))
_NEVER_WILL = runs.c.state.in_((RunState.WAITING, RunState.SUBMITTED)) & _follows(*_FAILED)
_DUE = ((_NEVER_WILL, RunState.SKIPPED), (_MAY_START, RunState.QUEUED))


class _NotAnyMore(Exception):
    """Another worker moved it between the look and the lock; neither change nor event is kept."""


def follow(db: Engine, actor: str) -> list[str]:
    """Queue and skip every run whose time has come; those that were moved."""
    moved: list[str] = []
    for due, new in _DUE:
        with reading(db) as connection:
            found = connection.execute(select(runs.c.run).where(due).order_by(runs.c.submitted_at)).scalars().all()
        for run in found:
            with suppress(_NotAnyMore), audit.record(db, audit.Event(EVENTS[new], actor, run)) as tx:
                if tx.execute(select(runs.c.run).where(due, runs.c.run == run)).first() is None:
                    raise _NotAnyMore
                check_move(found_in(tx, run).state, new)
                ended = {"why": "run.follows_unfinished", "ended_at": now()} if new is RunState.SKIPPED else {}
                tx.execute(update(runs).where(runs.c.run == run).values(state=new, **ended))
                moved.append(run)
    return moved
