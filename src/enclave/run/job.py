"""What is a run, and how does a member hand one in, look at it, and call it off?

The notebook and its parameters are checked before anything is stored; a notebook that is none is refused by name, and
the refusal is an event. Who may submit is decided above (access, people); here only the thing's own state counts.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from enclave import audit
from enclave.audit.event import now
from enclave.errors import BadInput, NotFound
from enclave.run.code import digest_of, passed_before
from enclave.run.frames import OwnError
from enclave.run.limits import Limits
from enclave.run.notebook import Source, check_name
from enclave.run.parameters import fitted, spelled
from enclave.run.queue import HIGHEST, LOWEST
from enclave.run.states import EVENTS, RunState, check_move
from enclave.run.tables import run_follows, run_outputs, runs
from enclave.store import reading

BAD_SUBMISSION = audit.declare("run.submission_refused", "what was handed in is no runnable notebook")
LANES = ("dp",)


@dataclass(frozen=True)
class Submission:
    """What a member hands in."""

    project: str
    grant: str
    member: str
    dataset: str
    dataset_version: int
    notebook: bytes
    parameters: Mapping[str, Any] = field(default_factory=dict)
    lane: str = "dp"
    name: str = ""
    priority: int = 0
    """Among the runs of its project (`run.queue`)."""
    review_policy: str = ""
    """The digest of the policy under which a person reads the code first; "" where nobody must (`run.policy`)."""
    batch: str = ""
    step: str = ""
    occurrence: int = 0
    """Of which batch it is which run, for the how-manieth time."""
    rho_cap: int | None = None
    """Nano-rho it may spend at most, as its plan was priced; None: what its project may."""
    epsilon_cap: int = 0
    """Nano-epsilon it may spend at most, where its project is counted in pure ε and it is of a plan."""


@dataclass(frozen=True)
class Job:
    """One run as stored. `epoch` counts its leases; whoever holds an older one cannot finish it."""

    run: str
    project: str
    grant: str
    member: str
    dataset: str
    dataset_version: int
    lane: str
    name: str
    priority: int
    notebook: bytes
    notebook_sha256: str
    code: str
    parameters: Mapping[str, Any]
    state: RunState
    why: str
    error: OwnError | None
    stage: str
    cells_done: int
    cells: int
    epoch: int
    worker: str | None
    leased_until: str | None
    environment: str
    executed: bytes | None
    questions: int
    submitted_at: str
    started_at: str | None
    ended_at: str | None
    batch: str | None = None
    step: str = ""
    occurrence: int = 0
    rho_cap: int | None = None
    epsilon_cap: int = 0


@dataclass(frozen=True)
class StoredOutput:
    """A declared output of a finished run, as vet takes it in."""

    output: str
    run: str
    ordinal: int
    cell: int
    bundle: bytes
    sha256: str


def _job(row: Any) -> Job:
    values = dict(row._mapping)
    error = json.loads(values.pop("error") or "null")
    values["grant"] = values.pop("grant_id")
    values["state"] = RunState(values["state"])
    values["parameters"] = json.loads(values["parameters"])
    return Job(**values, error=OwnError(**error) if error else None)


def _refuse(db: Engine, submission: Submission, reason: BadInput) -> None:
    detail = {"code": reason.code, "place": reason.place or "", "bytes": len(submission.notebook)}
    with audit.record(db, audit.Event(BAD_SUBMISSION, submission.member, submission.project, detail)):
        pass


@dataclass(frozen=True)
class Checked:
    """A submission that may be stored: its row, but for its state, and what its event says."""

    submission: Submission
    row: Mapping[str, Any]

    @property
    def run(self) -> str:
        return str(self.row["run"])

    def event(self) -> audit.Event:
        """What is recorded of it as it comes in."""
        one = self.submission
        facts: dict[str, Any] = {
            "project": one.project,
            "grant": one.grant,
            "lane": one.lane,
            "review_policy": one.review_policy,
        }
        facts |= {"dataset": f"{one.dataset} v{one.dataset_version}", "notebook": self.row["notebook_sha256"]}
        facts |= {"parameters": self.row["parameters"], "code": self.row["code"]}
        facts |= {"batch": one.batch, "step": one.step, "occurrence": one.occurrence} if one.batch else {}
        return audit.Event(EVENTS[RunState.SUBMITTED], one.member, self.run, facts)


def checked(db: Engine, submission: Submission, limits: Limits) -> Checked:
    """What may be stored of a submission; BadInput (and an event) when notebook or parameters are not what we run."""
    try:
        if submission.lane not in LANES:
            raise BadInput("run.lane_unknown", lane=submission.lane, known=", ".join(LANES))
        if not LOWEST <= submission.priority <= HIGHEST:
            raise BadInput("run.priority", found=submission.priority, lowest=LOWEST, highest=HIGHEST)
        check_name(submission.name)
        source = Source.read(submission.notebook, limits)
        if submission.review_policy and submission.parameters and source.schema is None:
            raise BadInput("run.parameters_undeclared")  # a name nobody declared could stand for anything in the code
        parameters = fitted(source.schema, submission.parameters)
    except BadInput as reason:
        _refuse(db, submission, reason)
        raise
    row = {
        "run": f"run_{secrets.token_hex(8)}",
        "project": submission.project,
        "grant_id": submission.grant,
        "member": submission.member,
        "dataset": submission.dataset,
        "dataset_version": submission.dataset_version,
        "lane": submission.lane,
        "name": submission.name,
        "priority": submission.priority,
        "notebook": submission.notebook,
        "notebook_sha256": hashlib.sha256(submission.notebook).hexdigest(),
        "code": digest_of(source),
        "parameters": spelled(parameters),
        "cells": len(source.cells),
        "submitted_at": now(),
        "batch": submission.batch or None,
        "step": submission.step,
        "occurrence": submission.occurrence,
        "rho_cap": submission.rho_cap,
        "epsilon_cap": submission.epsilon_cap,
        **dict.fromkeys(("why", "error", "stage", "environment"), ""),
        **dict.fromkeys(("cells_done", "epoch", "questions"), 0),
    }
    return Checked(submission, row)


def submit(db: Engine, submission: Submission, limits: Limits) -> Job:
    """Store a run and queue it, or, where its code must be read and nobody has passed it, let it wait for a reviewer.

    BadInput (and an event) when notebook or parameters are not what we run.
    """
    one = checked(db, submission, limits)
    with audit.record(db, one.event()) as tx:
        enter(tx, one)
    return find(db, one.run)


def enter(tx: audit.Transaction, one: Checked, follows: Collection[str] = ()) -> None:
    """Store a run whose coming in this transaction has recorded; `follows` are the runs that must finish before it."""
    given = one.submission
    read_in = passed_before(tx, given.project, given.dataset, str(one.row["code"]))
    unread = bool(given.review_policy) and read_in is None
    state = RunState.SUBMITTED if unread else RunState.WAITING if follows else RunState.QUEUED
    tx.execute(insert(runs), {**one.row, "state": state})
    if follows:
        tx.execute(insert(run_follows), [{"run": one.run, "follows": run} for run in follows])
    if not unread:
        check_move(RunState.SUBMITTED, state)
        tx.also(audit.Event(EVENTS[state], given.member, one.run, {"read_in": read_in or ""}))


def find(db: Engine, run: str) -> Job:
    """The run named `run`; NotFound."""
    with reading(db) as connection:
        return found_in(connection, run)


def found_in(connection: Connection | audit.Transaction, run: str) -> Job:
    """The run as this connection sees it."""
    row = connection.execute(select(runs).where(runs.c.run == run)).first()
    if row is None:
        raise NotFound("run.unknown", run=run)
    return _job(row)


def listing(db: Engine, *, member: str | None = None, project: str | None = None, limit: int = 200) -> list[Job]:
    """Runs, newest first."""
    query = select(runs).order_by(runs.c.submitted_at.desc()).limit(limit)
    if member is not None:
        query = query.where(runs.c.member == member)
    if project is not None:
        query = query.where(runs.c.project == project)
    with reading(db) as connection:
        return [_job(row) for row in connection.execute(query)]


def outputs(db: Engine, run: str) -> list[StoredOutput]:
    """The declared outputs of a run, in order."""
    query = select(run_outputs).where(run_outputs.c.run == run).order_by(run_outputs.c.ordinal)
    with reading(db) as connection:
        return [StoredOutput(**row._mapping) for row in connection.execute(query)]


def counted_on(db: Engine, dataset: str) -> int:
    """How many runs a dataset ever had."""
    with reading(db) as connection:
        counted = connection.execute(select(func.count()).select_from(runs).where(runs.c.dataset == dataset)).scalar()
    return int(counted or 0)


def declared_by(db: Engine, run: str) -> int:
    """How many outputs a run declared."""
    with reading(db) as connection:
        counted = connection.execute(select(func.count()).where(run_outputs.c.run == run)).scalar()
    return int(counted or 0)


def _end(db: Engine, actor: str, run: str, new: RunState, why: str) -> Job:
    with audit.record(db, audit.Event(EVENTS[new], actor, run, {"why": why})) as tx:
        check_move(found_in(tx, run).state, new)
        ended = {"state": new, "why": why, "ended_at": now(), "worker": None, "leased_until": None}
        tx.execute(update(runs).where(runs.c.run == run).values(**ended))
    return find(db, run)


def cancel(db: Engine, actor: str, run: str) -> Job:
    """Call a run off; a worker that runs it notices at its next renewal and kills the jail."""
    return _end(db, actor, run, RunState.CANCELLED, "run.cancelled")


def refuse(db: Engine, actor: str, run: str, why: str) -> Job:
    """Say that a queued run may not start, for instance because its grant lapsed since; `why` is a code."""
    return _end(db, actor, run, RunState.REFUSED, why)
