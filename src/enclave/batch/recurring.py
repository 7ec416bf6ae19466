"""What of the plans that recur is due by now?

Every worker asks, as often as it likes; the database holds when each is due next. An occurrence is handed in whole, in the
one transaction that moves `due_at` on, so it is handed in exactly once, whoever asks and whatever is killed.

The rule for what was missed: of the occurrences that came due while nobody asked, the latest is handed in, late rather than
never, and the earlier ones are passed over. An occurrence is passed over, too, while runs of the one before have not ended,
when a reader refused its code, and when grant, dataset or budget do not allow it at that moment; each time it is on record
why. What was passed over is not made up for, and does not count as one of its `times`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from domicile.rules.plan import Step
from enclave import audit
from enclave.access import check as check_grant
from enclave.audit.event import now
from enclave.batch.batch import Batch, For, checked_runs, enter_all, find, move, prepared
from enclave.batch.price import price
from enclave.batch.schedule import Schedule
from enclave.batch.states import BatchState
from enclave.batch.tables import batches, schedules
from enclave.budget import Amount
from enclave.catalogue import find as find_dataset
from enclave.errors import EnclaveError, Refused
from enclave.run import Limits, RunPolicy, RunState
from enclave.run.code import REFUSED
from enclave.run.review import decisions
from enclave.run.states import MOVES as RUN_MOVES
from enclave.run.tables import runs
from enclave.store import Keyring, Place, reading

log = logging.getLogger("enclave.worker")

DUE = audit.declare("batch.due", "an occurrence of a plan that recurs was handed in")
PASSED_OVER = audit.declare("batch.passed_over", "occurrences of a plan that recurs were passed over, with why")


@dataclass(frozen=True)
class Standing:
    """How far a plan that recurs is. `why` is the code of what kept the latest occurrence from being handed in, or ""."""

    schedule: Schedule
    due_at: str | None
    fired: int
    passed_over: int
    why: str


class _NotAnyMore(Exception):
    """Somebody else moved it on between the look and the lock; neither change nor event is kept."""


def standing(db: Engine, batch: str) -> Standing | None:
    """How far the plan is; None for one that does not recur."""
    with reading(db) as connection:
        row = connection.execute(select(schedules).where(schedules.c.batch == batch)).first()
    if row is None:
        return None
    schedule = Schedule(row.cron, row.timezone, row.ends_at, row.times)
    return Standing(schedule, row.due_at, row.fired, row.passed_over, row.why)


def hand_in_due(
    db: Engine, keyring: Keyring, place: Place, limits: Limits, actor: str, at: str | None = None
) -> list[str]:
    """Hand in every occurrence that is due at `at` (default: now); the batches that were moved on."""
    at = at or now()
    query = select(schedules.c.batch).join(batches, batches.c.batch == schedules.c.batch)
    query = query.where(batches.c.state == BatchState.OPEN, schedules.c.due_at <= at).order_by(schedules.c.due_at)
    with reading(db) as connection:
        found = connection.execute(query).scalars().all()
    moved = []
    for batch in found:
        try:
            _hand_in(db, keyring, place, limits, actor, batch, at)
            moved.append(batch)
        except _NotAnyMore:
            pass
        except EnclaveError as trouble:  # one that cannot even be passed over holds up no other
            log.error("%s is due and cannot be moved on: %s", batch, trouble)
    return moved


def _hand_in(db: Engine, keyring: Keyring, place: Place, limits: Limits, actor: str, batch: str, at: str) -> None:
    one, far = find(db, batch), standing(db, batch)
    if far is None or far.due_at is None or far.due_at > at:
        raise _NotAnyMore
    due = far.schedule.due(far.due_at, at)
    try:
        steps, each, whom = _allowed(db, keyring, place, limits, one, at)
        ready = checked_runs(db, one.plan, steps, each, whom, limits, batch, far.fired + 1)
        _check_not_refused(db, one, {str(run.row["code"]) for run in ready.values()})
    except EnclaveError as refusal:
        log.warning("%s is passed over: %s", batch, refusal.code)
        facts = {"due": due[-1], "count": len(due), "code": refusal.code}
        with audit.record(db, audit.Event(PASSED_OVER, actor, batch, facts)) as tx:
            _move_on(tx, one, far, due, actor, why=refusal.code)
        return
    facts = {"due": due[-1], "occurrence": far.fired + 1, "passed_over": len(due) - 1}
    with audit.record(db, audit.Event(DUE, actor, batch, facts)) as tx:
        _move_on(tx, one, far, due, actor, why="")
        enter_all(tx, steps, ready)


def _allowed(
    db: Engine, keyring: Keyring, place: Place, limits: Limits, one: Batch, at: str
) -> tuple[tuple[Step, ...], Mapping[str, Amount], For]:
    """The runs of an occurrence, what each may spend, and for whom; raises why it may not be now."""
    going_on = [state for state in RunState if RUN_MOVES[state]]
    with reading(db) as connection:
        earlier = select(runs.c.run).where(runs.c.batch == one.batch, runs.c.state.in_(going_on)).limit(1)
        if connection.execute(earlier).first() is not None:
            raise Refused("batch.still_running")
    grant = check_grant(db, keyring, project=one.project, member=one.member, dataset=one.dataset, at=at)
    dataset = find_dataset(db, one.dataset, grant.version)
    grant.check_covers(dataset)
    steps = prepared(one.plan, limits)
    priced = price(place, dataset, grant, one.member, steps)
    priced.check()
    asks = RunPolicy.load(place.policies).asks(one.project, dataset.name, dataset.grade)
    return steps, priced.each, For(grant.id, one.member, dataset.version, asks)


def _check_not_refused(db: Engine, one: Batch, codes: Collection[str]) -> None:
    """Refused when the last word of a reader on one of these codes was no: asking again would not change it."""
    for code in codes:
        said = decisions(db, one.project, one.dataset, code)
        if said and said[0].verdict == REFUSED:
            raise Refused("run.code_refused")


def _move_on(tx: audit.Transaction, one: Batch, far: Standing, due: list[str], actor: str, *, why: str) -> None:
    """Write when it is due next, if it still stands as it was read; the last occurrence completes it."""
    as_read = (schedules.c.batch == one.batch) & (schedules.c.due_at == far.due_at)
    is_open = select(batches.c.batch).where(batches.c.batch == one.batch, batches.c.state == BatchState.OPEN)
    if tx.execute(is_open).first() is None:
        raise _NotAnyMore
    fired, passed_over = (far.fired, len(due)) if why else (far.fired + 1, len(due) - 1)
    following = far.schedule.next_after(due[-1])
    if far.schedule.times is not None and fired >= far.schedule.times:
        following = None
    values = {"due_at": following, "fired": fired, "passed_over": far.passed_over + passed_over, "why": why}
    if tx.execute(update(schedules).where(as_read).values(**values)).rowcount != 1:
        raise _NotAnyMore
    if following is None:
        move(tx, one.batch, BatchState.OPEN, BatchState.COMPLETE, actor)
