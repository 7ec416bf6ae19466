"""Runs that follow others: for any order of ends, with several workers, each starts or is skipped as the plan says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from enclave import audit
from enclave.run import Limits, RunState, SandboxFiles, Submission
from enclave.run import job as jobs
from enclave.run import lease as leases
from enclave.run.follow import follow
from enclave.run.states import EVENTS
from enclave.store import Place, open_state

LIMITS = Limits.default(SandboxFiles.find())
BOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]}).encode()
ENDS = {"finish": RunState.FINISHED, "fail": RunState.FAILED, "kill": RunState.KILLED}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    place = Place(tmp_path_factory.mktemp("home"))
    place.make()
    db = open_state(place)
    yield db
    db.dispose()


def handed_in(db: Engine, *follows: str, review: str = "") -> str:
    given = Submission("prj", "grt", "researcher", "hospital", 1, BOOK, review_policy=review)
    one = jobs.checked(db, given, LIMITS)
    with audit.record(db, one.event()) as tx:
        jobs.enter(tx, one, follows)
    return one.run


def state(db: Engine, run: str) -> RunState:
    return jobs.find(db, run).state


def ended(db: Engine, how: RunState) -> str:
    """Lease whatever is next and end it so."""
    job = leases.lease_next(db, "w", 60)
    assert job is not None
    leases.finish(db, job, how)
    return job.run


@pytest.fixture(autouse=True)
def nothing_waits(db: Engine) -> None:
    for job in jobs.listing(db, limit=10_000):
        if job.ended_at is None:
            jobs.cancel(db, "test", job.run)


def test_a_run_waits_until_all_that_it_follows_finished(db: Engine) -> None:
    one, two = handed_in(db), handed_in(db)
    last = handed_in(db, one, two)
    assert state(db, last) is RunState.WAITING and follow(db, "w") == []
    first = ended(db, RunState.FINISHED)
    assert first in (one, two) and follow(db, "w") == [], "one of two is not enough"
    ended(db, RunState.FINISHED)
    assert follow(db, "w") == [last] and state(db, last) is RunState.QUEUED
    assert follow(db, "other") == [], "once"


@pytest.mark.parametrize("how", [RunState.FAILED, RunState.KILLED])
def test_what_follows_a_run_that_did_not_finish_is_skipped_down_the_line(db: Engine, how: RunState) -> None:
    one = handed_in(db)
    two = handed_in(db, one)
    three, beside = handed_in(db, two), handed_in(db)
    leases_first = ended(db, how)
    assert leases_first == one
    while follow(db, "w"):
        pass
    assert [state(db, run) for run in (two, three, beside)] == [RunState.SKIPPED, RunState.SKIPPED, RunState.QUEUED]
    assert jobs.find(db, three).why == "run.follows_unfinished" and jobs.find(db, three).ended_at


def test_a_run_that_waits_for_a_reader_is_skipped_too(db: Engine) -> None:
    one = handed_in(db)
    unread = handed_in(db, one, review="f" * 64)
    assert state(db, unread) is RunState.SUBMITTED
    ended(db, RunState.FINISHED)
    assert follow(db, "w") == [] and state(db, unread) is RunState.SUBMITTED, "finished: the reader is waited for"
    other = handed_in(db)
    unread = handed_in(db, other, review="f" * 64)
    ended(db, RunState.FAILED)
    assert follow(db, "w") == [unread]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
def test_any_plan_comes_to_the_end_it_must(db: Engine, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    follows = [data.draw(st.sets(st.integers(0, at - 1), max_size=3)) if at else set[int]() for at in range(count)]
    ends = [data.draw(st.sampled_from(list(ENDS.values()))) for _ in range(count)]
    runs: list[str] = []
    for before in follows:
        runs.append(handed_in(db, *[runs[at] for at in before]))
    for _ in range(count):
        while follow(db, data.draw(st.sampled_from(["w1", "w2"]))):
            pass
        job = leases.lease_next(db, "w", 60)
        if job is None:
            break
        leases.finish(db, job, ends[runs.index(job.run)])
    while follow(db, "w1"):
        pass
    expected: list[RunState] = []
    for before, end in zip(follows, ends, strict=True):
        fine = all(expected[at] is RunState.FINISHED for at in before)
        expected.append(end if fine else RunState.SKIPPED)
    assert [state(db, run) for run in runs] == expected
    for run, end in zip(runs, expected, strict=True):
        kinds = [event["kind"] for event in audit.search(db, subject=run, limit=100)]
        assert kinds.count(EVENTS[RunState.QUEUED]) == (end is not RunState.SKIPPED), "started once, or never"
