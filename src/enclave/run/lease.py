"""Who runs this now, and for how long may they?

A worker holds a run under (epoch, lease). It renews while the jail lives; when it dies, the lease lapses, or who comes in
its place says so at once, and the run is queued again, to be leased under the next epoch. Everything that ends a run names
its epoch: a worker that comes back from the dead cannot finish what another has taken over. All of it is one transaction
with its event.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, insert, select, update

from enclave import audit
from enclave.audit.event import now
from enclave.errors import Refused
from enclave.run.frames import OwnError, Progress
from enclave.run.job import Job, find, found_in
from enclave.run.output import Bundle
from enclave.run.queue import waiting_runs
from enclave.run.states import EVENTS, RunState, check_move
from enclave.run.tables import run_outputs, runs
from enclave.store import reading

RENEWED = audit.declare("run.renewed", "a worker still runs it, and how far it is")
TAKEN_OVER = audit.declare("run.taken_over", "a worker died or its lease lapsed; its run is queued again")
STALE = audit.declare("run.stale_result_refused", "a worker came back after its lease was taken over")

MAX_EPOCHS = 3
"""A run that took three workers with it is not given to a fourth."""


def _until(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def lease_next(db: Engine, worker: str, seconds: float) -> Job | None:
    """The run whose turn it is, now running under a new epoch and `worker`'s lease; None when none waits."""
    while waiting := waiting_runs(db):
        run = waiting[0].run
        try:
            with audit.record(db, audit.Event(EVENTS[RunState.RUNNING], worker, run)) as tx:
                job = found_in(tx, run)
                check_move(job.state, RunState.RUNNING)
                taken: dict[str, object] = {
                    "state": RunState.RUNNING,
                    "worker": worker,
                    "leased_until": _until(seconds),
                }
                taken |= {"epoch": job.epoch + 1, "started_at": now(), "stage": "starting", "cells_done": 0}
                tx.execute(update(runs).where(runs.c.run == run).values(**taken))
            return find(db, run)
        except Refused:  # another worker was quicker
            continue
    return None


def _check_held(job: Job, held: Job) -> None:
    """Refused unless `held` is still the lease under which `job` runs."""
    if (job.state, job.epoch, job.worker) != (RunState.RUNNING, held.epoch, held.worker):
        raise Refused("run.lease_lost", run=job.run, held=held.epoch, now=job.epoch, state=job.state)


def renew(db: Engine, held: Job, seconds: float, progress: Progress | None = None) -> None:
    """Prolong the lease and note how far the run is; Refused when it is no longer ours (cancelled, taken over)."""
    noted: dict[str, object] = {"stage": progress.stage, "cells_done": progress.done} if progress else {}
    facts: dict[str, object] = {"epoch": held.epoch, **noted}
    with audit.record(db, audit.Event(RENEWED, held.worker or "", held.run, facts)) as tx:
        _check_held(found_in(tx, held.run), held)
        tx.execute(update(runs).where(runs.c.run == held.run).values(leased_until=_until(seconds), **noted))


def check_still_held(db: Engine, held: Job) -> None:
    """Refused when the run is no longer ours; reads only."""
    _check_held(find(db, held.run), held)


def finish(
    db: Engine,
    held: Job,
    state: RunState,
    *,
    why: str = "",
    error: OwnError | None = None,
    bundles: Sequence[Bundle] = (),
    executed: bytes | None = None,
    environment: str = "",
    questions: int = 0,
    progress: Progress | None = None,
) -> Job:
    """End a run under the lease `held`: its state, its event and its declared outputs in one transaction.

    Refused (with an event of its own) when another epoch has taken the run over: nothing of the older one is kept.
    """
    facts = {"epoch": held.epoch, "why": why, "environment": environment, "outputs": [b.sha256 for b in bundles]}
    noted = json.dumps(vars(error)) if error else ""
    ended: dict[str, object] = {
        "state": state,
        "why": why,
        "error": noted,
        "ended_at": now(),
        "executed": executed,
        "worker": None,
    }
    ended |= {"leased_until": None, "environment": environment, "questions": questions}
    try:
        with audit.record(db, audit.Event(EVENTS[state], held.worker or "", held.run, facts)) as tx:
            job = found_in(tx, held.run)
            _check_held(job, held)
            check_move(job.state, state)
            reached = job.cells if state is RunState.FINISHED else progress.done if progress else job.cells_done
            tx.execute(update(runs).where(runs.c.run == held.run).values(**ended, cells_done=reached))
            for bundle in bundles:
                row = {"output": f"out_{secrets.token_hex(8)}", "run": held.run, "ordinal": bundle.ordinal}
                row |= {"cell": bundle.cell, "bundle": bundle.payload, "sha256": bundle.sha256}
                tx.execute(insert(run_outputs), row)
    except Refused as reason:
        with audit.record(
            db, audit.Event(STALE, held.worker or "", held.run, {"epoch": held.epoch, "code": reason.code})
        ):
            pass
        raise
    return find(db, held.run)


class _NotLeft(Exception):
    """It was renewed or ended between the look and the lock; neither change nor event is kept."""


def take_over_expired(db: Engine, actor: str, at: str | None = None) -> list[Job]:
    """Queue again (or, after too many workers, fail) every running run whose lease lapsed before `at` (default: now)."""
    return _take_over(db, actor, runs.c.leased_until < (at or now()))


def take_over_from(db: Engine, actor: str, dead: str) -> list[Job]:
    """The same for what the worker `dead` holds, however long its leases are: for who knows that it lives no more."""
    return _take_over(db, actor, runs.c.worker == dead)


def _take_over(db: Engine, actor: str, which: ColumnElement[bool]) -> list[Job]:
    left = (runs.c.state == RunState.RUNNING) & which
    with reading(db) as connection:
        found = [job.run for job in connection.execute(select(runs.c.run).where(left))]
    taken: list[str] = []
    for run in found:
        with suppress(_NotLeft), audit.record(db, audit.Event(TAKEN_OVER, actor, run)) as tx:
            if tx.execute(select(runs.c.run).where(left, runs.c.run == run)).first() is None:
                raise _NotLeft
            job = found_in(tx, run)
            given_up = job.epoch >= MAX_EPOCHS
            new = RunState.FAILED if given_up else RunState.QUEUED
            check_move(job.state, new)
            tx.also(audit.Event(EVENTS[new], actor, run, {"epoch": job.epoch, "worker": job.worker or ""}))
            moved = {"state": new, "worker": None, "leased_until": None, "stage": "", "cells_done": 0}
            moved |= {"why": "run.workers_died", "ended_at": now()} if given_up else {}
            tx.execute(update(runs).where(runs.c.run == run).values(**moved))
            taken.append(run)
    return [find(db, run) for run in taken]
