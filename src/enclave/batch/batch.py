"""What is a batch, and how does a member hand one in, look at it, and call it off?

The same plan handed in again is the same batch: it is told by the digest of everything in it, per project. Who may submit is
decided above (access, people).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Row, Select, insert, select, update

from domicile.rules.parameters import Unfit
from domicile.rules.plan import Step, digest_of, expand
from domicile.wire.shapes import BatchForm
from enclave import audit
from enclave.audit.event import now
from enclave.batch.price import Price
from enclave.batch.schedule import Schedule
from enclave.batch.states import EVENTS, BatchState, check_move
from enclave.batch.tables import batches, schedules
from enclave.budget import Amount
from enclave.errors import BadInput, NotFound, Tampered
from enclave.run import Limits, RunState, Source, Submission
from enclave.run.job import Checked, checked, enter
from enclave.run.states import EVENTS as RUN_EVENTS
from enclave.run.states import MOVES as RUN_MOVES
from enclave.run.tables import runs
from enclave.store import reading


@dataclass(frozen=True)
class Batch:
    """One batch as stored."""

    batch: str
    digest: str
    project: str
    member: str
    dataset: str
    name: str
    form: str
    state: BatchState
    rho: int
    nano_epsilon: int
    submitted_at: str
    ended_at: str | None

    @property
    def plan(self) -> BatchForm:
        """What was handed in; Tampered when it is not that any more."""
        try:
            plan = BatchForm.model_validate_json(self.form)
        except ValidationError as broken:
            raise Tampered("batch.altered", batch=self.batch) from broken
        if digest_of(plan) != self.digest:
            raise Tampered("batch.altered", batch=self.batch)
        return plan


def prepared(form: BatchForm, limits: Limits) -> tuple[Step, ...]:
    """The runs of a plan; BadInput names what is wrong with it, and where."""
    schemas = {
        name: Source.read(text.encode("utf-8", "replace"), limits).schema for name, text in form.notebooks.items()
    }
    try:
        return expand(form, schemas)
    except Unfit as unfit:
        raise BadInput(unfit.code, place=unfit.place, **unfit.facts) from unfit


@dataclass(frozen=True)
class For:
    """For whom a plan runs, and under what: what every one of its submissions says."""

    grant: str
    member: str
    dataset_version: int
    review_policy: str


def submit(
    db: Engine,
    form: BatchForm,
    steps: tuple[Step, ...],
    price: Price,
    whom: For,
    limits: Limits,
    schedule: Schedule | None = None,
) -> Batch:
    """Hand in a plan that was `prepared` and priced; the batch there is when the project has handed it in before.

    One that recurs waits for its first occurrence (`batch.recurring`).
    All of it is one transaction, or nothing. Refused when it cannot be paid for; BadInput when a run of it may not be.
    """
    digest = digest_of(form)
    if (there := _same(db, form.project, digest)) is not None:
        return there
    price.check()
    batch = f"bat_{secrets.token_hex(8)}"
    ready = checked_runs(db, form, steps, price.each, whom, limits, batch)
    row: dict[str, Any] = {
        "batch": batch,
        "digest": digest,
        "project": form.project,
        "member": whom.member,
        "dataset": form.dataset,
    }
    declared = {"rho": price.whole.nano_rho, "nano_epsilon": price.whole.nano_epsilon}
    row |= {"name": form.name, "form": form.model_dump_json(), "submitted_at": now(), **declared}
    facts = {"project": form.project, "digest": digest, "runs": len(steps), **declared}
    try:
        with audit.record(db, audit.Event(EVENTS[BatchState.OPEN], whom.member, batch, facts)) as tx:
            if tx.execute(_of_plan(form.project, digest)).first() is not None:
                raise _Quicker
            tx.execute(insert(batches), {**row, "state": BatchState.OPEN})
            if schedule is not None:
                due = {"due_at": schedule.next_after(str(row["submitted_at"])), "fired": 0, "passed_over": 0, "why": ""}
                tx.execute(insert(schedules), {"batch": batch, **vars(schedule), **due})
            else:
                enter_all(tx, steps, ready)
                move(tx, batch, BatchState.OPEN, BatchState.COMPLETE, whom.member)
    except _Quicker:
        found = _same(db, form.project, digest)
        assert found is not None
        return found
    return find(db, batch)


class _Quicker(Exception):
    """The same plan came in between the look and the lock; nothing of ours is kept."""


def checked_runs(
    db: Engine,
    form: BatchForm,
    steps: tuple[Step, ...],
    each: Mapping[str, Amount],
    whom: For,
    limits: Limits,
    batch: str,
    occurrence: int = 0,
) -> dict[str, Checked]:
    """Every run of a plan as it would be stored, by its name; BadInput when one may not be."""
    return {
        step.name: checked(
            db,
            Submission(
                project=form.project,
                grant=whom.grant,
                member=whom.member,
                dataset=form.dataset,
                dataset_version=whom.dataset_version,
                notebook=form.notebooks[step.notebook].encode("utf-8", "replace"),
                parameters=step.parameters,
                name=step.notebook,
                priority=step.priority,
                review_policy=whom.review_policy,
                batch=batch,
                step=step.name,
                occurrence=occurrence,
                rho_cap=each[step.name].nano_rho,
                epsilon_cap=each[step.name].nano_epsilon,
            ),
            limits,
        )
        for step in steps
    }


def enter_all(tx: audit.Transaction, steps: tuple[Step, ...], ready: Mapping[str, Checked]) -> None:
    """Store the runs of a plan in a transaction of its own, each with its events and after those it follows."""
    for step in steps:
        tx.also(ready[step.name].event())
        enter(tx, ready[step.name], [ready[name].run for name in step.after])


def move(tx: audit.Transaction, batch: str, old: BatchState, new: BatchState, actor: str) -> None:
    """Move a batch inside a transaction, with the event of the move."""
    check_move(old, new)
    tx.also(audit.Event(EVENTS[new], actor, batch))
    tx.execute(
        update(batches).where(batches.c.batch == batch, batches.c.state == old).values(state=new, ended_at=now())
    )


def _of_plan(project: str, digest: str) -> Select[Any]:
    return select(batches).where(batches.c.project == project, batches.c.digest == digest)


def _same(db: Engine, project: str, digest: str) -> Batch | None:
    with reading(db) as connection:
        row = connection.execute(_of_plan(project, digest)).first()
    return None if row is None else _batch(row)


def _batch(row: Row[Any]) -> Batch:
    values = dict(row._mapping)
    return Batch(**{**values, "state": BatchState(values["state"])})


def find(db: Engine, batch: str) -> Batch:
    """The batch of this name; NotFound."""
    with reading(db) as connection:
        return found_in(connection, batch)


def found_in(connection: Connection | audit.Transaction, batch: str) -> Batch:
    """The batch as this connection sees it."""
    row = connection.execute(select(batches).where(batches.c.batch == batch)).first()
    if row is None:
        raise NotFound("batch.unknown")
    return _batch(row)


def listing(db: Engine, projects: tuple[str, ...], digest: str = "") -> list[Batch]:
    """The batches of these projects, newest first; those of one plan when its digest is given."""
    query = select(batches).where(batches.c.project.in_(projects)).order_by(batches.c.submitted_at.desc()).limit(100)
    if digest:
        query = query.where(batches.c.digest == digest)
    with reading(db) as connection:
        return [_batch(row) for row in connection.execute(query)]


def cancel(db: Engine, actor: str, batch: str) -> Batch:
    """Call a batch off: no run of it is handed in any more, and every one that has not ended is cancelled with it."""
    with audit.record(db, audit.Event(EVENTS[BatchState.CANCELLED], actor, batch)) as tx:
        check_move(found_in(tx, batch).state, BatchState.CANCELLED)
        tx.execute(update(batches).where(batches.c.batch == batch).values(state=BatchState.CANCELLED, ended_at=now()))
        going_on = [state for state in RunState if RunState.CANCELLED in RUN_MOVES[state]]
        there = select(runs.c.run).where(runs.c.batch == batch, runs.c.state.in_(going_on))
        ended = {"state": RunState.CANCELLED, "why": "run.batch_cancelled", "ended_at": now()}
        for run in tx.execute(there).scalars().all():
            tx.also(audit.Event(RUN_EVENTS[RunState.CANCELLED], actor, run, {"batch": batch}))
            tx.execute(update(runs).where(runs.c.run == run).values(**ended, worker=None, leased_until=None))
    return find(db, batch)
