"""Who reads a notebook before it runs, what do they see, and what follows from their word?

A run whose project or dataset asks for it (`run.policy`) stays `submitted` until somebody else has read its code. A pass
holds for that very code in that project on that dataset, from then on, and queues every run of it that waits; a refusal
ends them. Nobody decides on a run of their own project (Cedar).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine, insert, select, update

from domicile.rules.code import examine_code
from domicile.wire.shapes import Finding
from enclave import audit
from enclave.access import find_project
from enclave.audit.event import now
from enclave.errors import BadInput, Refused
from enclave.people import Action, Member, Permissions, refusals_recorded
from enclave.people.permissions import Facts
from enclave.run.code import PASSED, REFUSED, Code
from enclave.run.job import Job, find, found_in
from enclave.run.limits import Limits
from enclave.run.notebook import Source
from enclave.run.states import EVENTS, RunState
from enclave.run.tables import code_reviews, run_follows, runs
from enclave.store import reading

Verdict = Literal["pass", "refuse"]
LEADS_TO: dict[Verdict, RunState] = {"pass": RunState.QUEUED, "refuse": RunState.REFUSED}
KINDS: dict[Verdict, str] = {
    "pass": audit.declare("code.passed", "a person read a notebook's code and passed it"),
    "refuse": audit.declare("code.refused", "a person read a notebook's code and refused it, with a reason"),
}
MAX_REASON = 2_000
MAX_LINES = 5_000
"""Longer texts are shown whole: comparing them would take long enough to hold the door up."""


@dataclass(frozen=True)
class Decision:
    """What somebody said of a code, and under which run they read it."""

    run: str
    name: str
    code: str
    verdict: str
    member: str
    reason: str
    at: str


@dataclass(frozen=True)
class Review:
    """What a reviewer sees of a run that waits."""

    job: Job
    code: Code
    findings: tuple[Finding, ...]
    against: Decision | None
    """The pass it is compared with: of a notebook of this name, else the latest of this project and dataset."""
    diff: str
    """"" where there is nothing to compare with, or the texts are too long: then the whole is read."""
    earlier: tuple[Decision, ...]
    """Every decision in this project on this dataset, newest first."""


def facts(db: Engine, job: Job) -> Facts:
    """What permissions on a run are decided on."""
    return {"owner": job.member, "members": find_project(db, job.project).members}


def waiting(db: Engine, permissions: Permissions, member: Member) -> list[Job]:
    """The runs this member may decide on, oldest first."""
    wanted = select(runs.c.run).where(runs.c.state == RunState.SUBMITTED).order_by(runs.c.submitted_at)
    with reading(db) as connection:
        found = [found_in(connection, run) for run in connection.execute(wanted).scalars()]
    return [job for job in found if permissions.may(member, Action.RUN_REVIEW, facts(db, job))]


def look(db: Engine, permissions: Permissions, member: Member, run: str, limits: Limits) -> Review:
    """What a member who may decide on it sees of a run, whatever its state is by now."""
    job = find(db, run)
    permissions.enforce(db, member, Action.RUN_REVIEW, run, facts(db, job))
    source = Source.read(job.notebook, limits)
    code, earlier = Code.of(source), decisions(db, job.project, job.dataset)
    passes = [one for one in earlier if one.verdict == PASSED and one.run != run]
    against = next((one for one in passes if one.name == job.name), next(iter(passes), None))
    before = Code.of(Source.read(find(db, against.run).notebook, limits)).text if against else ""
    findings = tuple(examine_code((cell.kind, cell.source) for cell in source.cells))
    return Review(job, code, findings, against, _diff(before, code.text) if against else "", earlier)


def decide(
    db: Engine, permissions: Permissions, member: Member, run: str, verdict: Verdict, reason: str, limits: Limits
) -> Job:
    """Pass or refuse the code of a run that waits, and with it every waiting run of the same code."""
    if verdict not in LEADS_TO:
        raise BadInput("vet.verdict_unknown", place="verdict")
    job = find(db, run)
    allowed = permissions.enforce(db, member, Action.RUN_REVIEW, run, facts(db, job))
    with refusals_recorded(db, member.id, Action.RUN_REVIEW, run):
        _check_waits(job)
        source = Source.read(job.notebook, limits)
        flagged = verdict == PASSED and examine_code((cell.kind, cell.source) for cell in source.cells)
        if not reason.strip() and (verdict == REFUSED or flagged):
            raise BadInput("run.review_reason_missing", place="reason")
        if len(reason) > MAX_REASON:
            raise BadInput("vet.reason_long", place="reason", limit=MAX_REASON)
        detail = {"code": job.code, "project": job.project, "dataset": job.dataset, "reason": reason, **allowed.trace()}
        with audit.record(db, audit.Event(KINDS[verdict], member.id, run, detail)) as tx:
            _check_waits(found_in(tx, run))  # somebody may have been quicker
            row = {"run": run, "project": job.project, "dataset": job.dataset, "name": job.name, "code": job.code}
            row |= {"verdict": verdict, "member": member.id, "reason": reason, "at": now()}
            tx.execute(insert(code_reviews), {**row, "allowed_by": allowed.policy})
            _move_all(tx, job, LEADS_TO[verdict], member.id)
    return find(db, run)


def _check_waits(job: Job) -> None:
    if job.state is not RunState.SUBMITTED:
        raise Refused("run.not_waiting", run=job.run, state=job.state)


def _move_all(tx: audit.Transaction, job: Job, new: RunState, actor: str) -> None:
    """Every run of this code that waits, in the transaction of the decision; each has its event."""
    same = (runs.c.project == job.project) & (runs.c.dataset == job.dataset) & (runs.c.code == job.code)
    waits = select(runs.c.run).where(same, runs.c.state == RunState.SUBMITTED).order_by(runs.c.submitted_at, runs.c.run)
    ended = {"why": "run.code_refused", "ended_at": now()} if new is RunState.REFUSED else {}
    for run in tx.execute(waits).scalars().all():
        follows = tx.execute(select(run_follows.c.run).where(run_follows.c.run == run)).first() is not None
        to = RunState.WAITING if follows and new is RunState.QUEUED else new
        tx.also(audit.Event(EVENTS[to], actor, run, {"code": job.code, "read_in": job.run}))
        tx.execute(update(runs).where(runs.c.run == run).values(state=to, **ended))


def decisions(db: Engine, project: str, dataset: str, code: str | None = None) -> tuple[Decision, ...]:
    """What was decided in a project on a dataset (of one code), newest first."""
    shown = [code_reviews.c[name] for name in ("run", "name", "code", "verdict", "member", "reason", "at")]
    query = select(*shown).where(code_reviews.c.project == project, code_reviews.c.dataset == dataset)
    if code is not None:
        query = query.where(code_reviews.c.code == code)
    with reading(db) as connection:
        return tuple(Decision(*row) for row in connection.execute(query.order_by(code_reviews.c.at.desc())))


def _diff(before: str, now_: str) -> str:
    old, new = before.split("\n"), now_.split("\n")
    if max(len(old), len(new)) > MAX_LINES:
        return ""
    return "\n".join(difflib.unified_diff(old, new, "passed", "submitted", lineterm=""))
