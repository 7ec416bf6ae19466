"""The states of a run: every pair of them, every verb in every state."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from enclave import audit
from enclave.errors import BadInput, NotFound, Refused
from enclave.run import Bundle, Job, Limits, OwnError, Progress, RunState, SandboxFiles, Submission
from enclave.run import job as jobs
from enclave.run import lease as leases
from enclave.run.follow import follow
from enclave.run.states import EVENTS, MOVES, OWNERS, check_move
from enclave.run.tables import run_outputs
from enclave.store import Place, open_state, reading

LIMITS = Limits.default(SandboxFiles.find())
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}).encode()
LATER = "9999-01-01T00:00:00.000000+00:00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    place = Place(tmp_path_factory.mktemp("home"))
    place.make()
    db = open_state(place)
    yield db
    db.dispose()


@pytest.fixture
def db(home: Engine) -> Engine:
    """The shared home, with no run waiting or running."""
    for job in jobs.listing(home):
        if job.ended_at is None:
            jobs.cancel(home, "test", job.run)
    return home


def submit(db: Engine, notebook: bytes = NOTEBOOK, **more: object) -> Job:
    given = Submission("project", "grt_1", "researcher", "hospital", 1, notebook, **more)  # type: ignore[arg-type]
    return jobs.submit(db, given, LIMITS)


def unread() -> bytes:
    """A notebook nobody has seen."""
    cell = {"cell_type": "code", "source": secrets.token_hex(8)}
    return json.dumps({"nbformat": 4, "cells": [cell]}).encode()


def leased(db: Engine, worker: str = "w1") -> Job:
    job = leases.lease_next(db, worker, 60)
    assert job is not None
    return job


def kinds(db: Engine, run: str) -> list[str]:
    return [event["kind"] for event in audit.search(db, limit=10_000) if event["subject"] == run]


def test_moves_owners_and_events_are_total() -> None:
    assert set(MOVES) == set(OWNERS) == set(EVENTS) == set(RunState)
    assert len(set(EVENTS.values())) == len(EVENTS)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(RunState, RunState)))
def test_only_the_moves_of_the_table_are_allowed(old: RunState, new: RunState) -> None:
    if new in MOVES[old]:
        check_move(old, new)
    else:
        with pytest.raises(Refused, match="cannot become"):
            check_move(old, new)


def test_every_state_can_be_reached_and_every_end_is_an_end() -> None:
    reached, waiting = set(), [RunState.SUBMITTED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += MOVES[state]
    assert reached == set(RunState)
    assert sum(not following for following in MOVES.values()) == 6


VERBS: dict[str, Callable[[Engine, Job], object]] = {
    "lease": lambda db, job: leases.lease_next(db, "w2", 60),
    "renew": lambda db, job: leases.renew(db, job, 60),
    "finish": lambda db, job: leases.finish(db, job, RunState.FINISHED),
    "fail": lambda db, job: leases.finish(db, job, RunState.FAILED, why="run.notebook_error"),
    "kill": lambda db, job: leases.finish(db, job, RunState.KILLED, why="run.deadline"),
    "cancel": lambda db, job: jobs.cancel(db, "researcher", job.run),
    "refuse": lambda db, job: jobs.refuse(db, "worker", job.run, "run.cancelled"),
    "take over": lambda db, job: leases.take_over_expired(db, "w2", LATER),
}


def following(db: Engine, other: Job) -> Job:
    one = jobs.checked(db, Submission("project", "grt_1", "researcher", "hospital", 1, NOTEBOOK), LIMITS)
    with audit.record(db, one.event()) as tx:
        jobs.enter(tx, one, [other.run])
    return jobs.find(db, one.run)


def skipped(db: Engine) -> Job:
    first = submit(db)
    one = following(db, first)
    jobs.cancel(db, "researcher", first.run)
    follow(db, "w1")
    return jobs.find(db, one.run)


REACHED: dict[RunState, Callable[[Engine], Job]] = {
    RunState.WAITING: lambda db: following(db, submit(db, unread(), review_policy="f" * 64)),
    RunState.SKIPPED: skipped,
    RunState.SUBMITTED: lambda db: submit(db, unread(), review_policy="f" * 64),
    RunState.QUEUED: submit,
    RunState.RUNNING: lambda db: leased(db) if submit(db) else submit(db),
    RunState.FINISHED: lambda db: leases.finish(db, REACHED[RunState.RUNNING](db), RunState.FINISHED),
    RunState.FAILED: lambda db: leases.finish(db, REACHED[RunState.RUNNING](db), RunState.FAILED),
    RunState.KILLED: lambda db: leases.finish(db, REACHED[RunState.RUNNING](db), RunState.KILLED),
    RunState.CANCELLED: lambda db: jobs.cancel(db, "researcher", submit(db).run),
    RunState.REFUSED: lambda db: jobs.refuse(db, "worker", submit(db).run, "run.cancelled"),
}
EXPECTED = {
    (RunState.WAITING, "cancel"): RunState.CANCELLED,
    (RunState.SUBMITTED, "cancel"): RunState.CANCELLED,
    (RunState.SUBMITTED, "refuse"): RunState.REFUSED,
    (RunState.QUEUED, "lease"): RunState.RUNNING,
    (RunState.QUEUED, "cancel"): RunState.CANCELLED,
    (RunState.QUEUED, "refuse"): RunState.REFUSED,
    (RunState.RUNNING, "renew"): RunState.RUNNING,
    (RunState.RUNNING, "finish"): RunState.FINISHED,
    (RunState.RUNNING, "fail"): RunState.FAILED,
    (RunState.RUNNING, "kill"): RunState.KILLED,
    (RunState.RUNNING, "cancel"): RunState.CANCELLED,
    (RunState.RUNNING, "take over"): RunState.QUEUED,
}


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(REACHED, VERBS)))
def test_every_verb_in_every_state_moves_as_written_or_changes_nothing(db: Engine, state: RunState, verb: str) -> None:
    job = REACHED[state](db)
    before = kinds(db, job.run)
    try:
        VERBS[verb](db, job)
    except Refused:
        assert (state, verb) not in EXPECTED
    after = jobs.find(db, job.run)
    assert after.state == EXPECTED.get((state, verb), state)
    added = [kind for kind in kinds(db, job.run)[len(before) :] if kind != leases.STALE]
    assert bool(added) == ((state, verb) in EXPECTED), "an event for each change, and for nothing else"


def test_a_submission_is_stored_queued_and_told(db: Engine) -> None:
    job = submit(db, parameters={"year": 2024}, name="los.ipynb")
    assert (job.state, job.parameters, job.cells, job.epoch) == (RunState.QUEUED, {"year": 2024}, 1, 0)
    assert kinds(db, job.run) == ["run.submitted", "run.queued"]
    assert jobs.listing(db, member="researcher")[0] == job
    assert jobs.listing(db, project="another") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"notebook": b"print(1)"}, "run.notebook_not_json"),
        ({"parameters": {"a b": 1}}, "run.parameter_name"),
        ({"lane": "reviewed"}, "run.lane_unknown"),
    ],
)
def test_what_cannot_run_is_refused_with_an_event_and_nothing_stored(
    db: Engine, changes: dict[str, object], reason: str
) -> None:
    stored, told = len(jobs.listing(db, limit=10_000)), audit.head(db).seq
    with pytest.raises(BadInput) as refused:
        submit(db, **changes)  # type: ignore[arg-type]
    assert refused.value.code == reason
    assert len(jobs.listing(db, limit=10_000)) == stored
    (event,) = audit.search(db, since=told)
    assert (event["kind"], event["detail"]["code"]) == (jobs.BAD_SUBMISSION, reason)


def test_runs_are_leased_oldest_first_and_once(db: Engine) -> None:
    first, second = submit(db), submit(db)
    assert [leased(db, "w1").run, leased(db, "w2").run] == [first.run, second.run]
    assert leases.lease_next(db, "w3", 60) is None


def test_finishing_stores_outputs_with_the_state(db: Engine) -> None:
    job = submit(db)
    held = leased(db)
    bundles = (Bundle(1, 0, b"{}"), Bundle(2, 0, b'{"a":1}'))
    done = leases.finish(db, held, RunState.FINISHED, bundles=bundles, executed=b"nb", environment="e", questions=3)
    assert (done.state, done.executed, done.questions, done.worker) == (RunState.FINISHED, b"nb", 3, None)
    stored = jobs.outputs(db, job.run)
    assert [(one.ordinal, one.bundle, one.sha256) for one in stored] == [
        (b.ordinal, b.payload, b.sha256) for b in bundles
    ]
    assert kinds(db, job.run)[-1] == "run.finished"


def test_an_error_is_kept_by_class_cell_and_line(db: Engine) -> None:
    submit(db)
    done = leases.finish(db, leased(db), RunState.FAILED, why="run.notebook_error", error=OwnError("KeyError", 0, 1))
    assert done.error == OwnError("KeyError", 0, 1)


def test_renewing_notes_progress(db: Engine) -> None:
    submit(db)
    held = leased(db)
    leases.renew(db, held, 600, Progress("running", 1, 1))
    now = jobs.find(db, held.run)
    assert (now.stage, now.cells_done) == ("running", 1) and (now.leased_until or "") > (held.leased_until or "")


def test_an_older_epoch_can_do_nothing_and_leaves_nothing(db: Engine) -> None:
    submit(db)
    old = leased(db, "w1")
    assert [job.run for job in leases.take_over_expired(db, "w2", LATER)] == [old.run]
    new = leased(db, "w1")  # even the same worker, restarted
    assert new.epoch == old.epoch + 1
    with pytest.raises(Refused, match="no longer held"):
        leases.renew(db, old, 60)
    with pytest.raises(Refused, match="no longer held"):
        leases.finish(db, old, RunState.FINISHED, bundles=(Bundle(1, 0, b"{}"),))
    assert kinds(db, old.run)[-1] == leases.STALE
    with reading(db) as connection:
        assert connection.execute(select(run_outputs).where(run_outputs.c.run == old.run)).all() == []
    assert leases.finish(db, new, RunState.FINISHED).state == RunState.FINISHED, "the control: the newer one may"


def test_a_living_lease_is_not_taken_over(db: Engine) -> None:
    submit(db)
    held = leased(db)
    assert leases.take_over_expired(db, "w2") == []
    assert kinds(db, held.run)[-1] == "run.leased"


def test_a_run_that_killed_three_workers_is_given_up(db: Engine) -> None:
    job = submit(db)
    for _ in range(leases.MAX_EPOCHS):
        leased(db)
        leases.take_over_expired(db, "w2", LATER)
    given_up = jobs.find(db, job.run)
    assert (given_up.state, given_up.why) == (RunState.FAILED, "run.workers_died")


def test_an_unknown_run_is_not_found(db: Engine) -> None:
    with pytest.raises(NotFound):
        jobs.find(db, "run_x")
    with pytest.raises(NotFound):
        jobs.cancel(db, "m", "run_x")
    assert kinds(db, "run_x") == [], "neither change nor event"


def test_the_chain_holds_after_all_of_it(db: Engine, tmp_path: Path) -> None:
    assert audit.verify_events(db) > 0
