"""How far is a batch? Read from its runs, as their owner may see them (lane dp: all of it is post-processing)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from domicile.rules.plan import Step, digest_of
from domicile.wire.shapes import BatchCard, BatchForm, ScheduleCard, StepCard
from domicile.wire.words import catalogue, say
from enclave.audit.event import now
from enclave.batch.batch import Batch
from enclave.batch.price import Price
from enclave.batch.recurring import Standing, standing
from enclave.batch.schedule import Schedule
from enclave.budget import NANO, Amount
from enclave.run import RunState
from enclave.run.tables import runs
from enclave.store import reading

_SEEN = ("run", "step", "state", "cells_done", "cells", "questions", "why")
_WAITS = {RunState.SUBMITTED: "run.awaits_reader", RunState.WAITING: "run.waits_for_others"}


def plan_card(
    form: BatchForm, steps: tuple[Step, ...], price: Price, schedule: Schedule | None = None, at: str | None = None
) -> BatchCard:
    """A plan as priced; nothing of it was stored."""
    pure = all(account.pure for account in price.accounts)
    waits = schedule and Standing(schedule, schedule.next_after(at or now()), 0, 0, "")
    return BatchCard(
        batch="",
        digest=digest_of(form),
        name=form.name,
        project=form.project,
        dataset=form.dataset,
        state="",
        steps=tuple(_step(step, price.each[step.name], {}, pure=pure) for step in steps),
        rho=price.whole.nano_rho,
        pure=pure,
        occurrences=price.occurrences,
        schedule=_recurring(waits) if waits else None,
        epsilon=price.epsilon,
        accounts=price.accounts,
        refusals=tuple(refusal.words() for refusal in price.refusals),
    )


def card(db: Engine, batch: Batch, steps: tuple[Step, ...], price: Price) -> BatchCard:
    """A batch with each of its runs where it stands now."""
    query = select(*[runs.c[name] for name in _SEEN]).where(runs.c.batch == batch.batch).order_by(runs.c.occurrence)
    with reading(db) as connection:
        there = {row.step: dict(row._mapping) for row in connection.execute(query)}
    planned, far = plan_card(batch.plan, steps, price), standing(db, batch.batch)
    return planned.model_copy(
        update={
            "batch": batch.batch,
            "state": batch.state.value,
            "schedule": _recurring(far) if far else None,
            "steps": tuple(
                _step(step, price.each[step.name], there.get(step.name, {}), pure=planned.pure) for step in steps
            ),
            "refusals": (),
            "submitted_at": datetime.fromisoformat(batch.submitted_at),
        }
    )


def _recurring(far: Standing) -> ScheduleCard:
    said = far.schedule
    return ScheduleCard(
        cron=said.cron,
        timezone=said.timezone,
        ends_at=datetime.fromisoformat(said.ends_at),
        times=said.times,
        due_at=datetime.fromisoformat(far.due_at) if far.due_at else None,
        fired=far.fired,
        passed_over=far.passed_over,
        why=say("batch.passed_over", why=_plain(far.why)) if far.why else "",
    )


def _plain(code: str) -> str:
    """The words of a code when they stand without facts, which are not kept; else the code."""
    try:
        return say(code)
    except KeyError:
        return code


def _step(step: Step, declared: Amount, there: dict[str, Any], *, pure: bool) -> StepCard:
    seen = {name: there[name] for name in _SEEN if name in there and name != "step"}
    why = _WAITS.get(RunState(seen["state"]), seen["why"]) if seen else ""
    return StepCard(
        step=step.name,
        notebook=step.notebook,
        parameters=dict(step.parameters),
        after=step.after,
        rho=declared.nano_rho,
        epsilon=declared.nano_epsilon / NANO if pure else None,
        **{**seen, "why": say(why) if why in catalogue() else why},
    )
