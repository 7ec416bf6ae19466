"""Two workers, one of them killed every few seconds: each run finishes exactly once, and each question is paid once."""

from __future__ import annotations

import collections
import os
import signal
import time
from collections.abc import Iterator

import pytest
from tests.integration.channels import running, spent
from tests.living import Living, notebook_of

from enclave import audit
from enclave.bootstrap import up
from enclave.budget import history
from enclave.custody.proof import verify_house
from enclave.query import rho_for
from enclave.run.job import listing, outputs
from enclave.run.states import RunState

QUESTIONS = 5
EPSILON = "0.5"
ASK = f"""
import domicile
n = domicile.open("hospital").sql(f"SELECT COUNT(*) AS n FROM patients WHERE age > {{older_than}}", epsilon="{EPSILON}")
domicile.output.table(n, title="Older", context="test")
"""
BETWEEN_KILLS = 4.0


@pytest.fixture
def two_workers(house: Living) -> Iterator[Living]:
    with running(house, lease_seconds=2, workers=2, warm_jails=1) as living:
        yield living


def ended(living: Living) -> int:
    return sum(job.ended_at is not None for job in listing(living.db, limit=10_000))


def carried_out(living: Living, runs: int) -> int:
    """Hand in `runs` runs, kill a worker every few seconds until all ended; how many were killed."""
    for at in range(runs):
        living.submit(notebook_of(ASK), {"older_than": 10 * (at % QUESTIONS)})
    kills, give_up = 0, time.monotonic() + 30 + 10 * runs
    killed_at = time.monotonic() - BETWEEN_KILLS  # the first at once: a quick machine is soon done
    while ended(living) < runs:
        assert time.monotonic() < give_up, living.logs()
        if time.monotonic() - killed_at > BETWEEN_KILLS:
            worker = up.seen(living.place, up.worker_name(1 + kills % 2)).pid
            if worker is not None:
                os.kill(worker, signal.SIGKILL)
                kills += 1
            time.sleep(0.5)
            up.up(living.settings)
            killed_at = time.monotonic()
        time.sleep(0.1)
    return kills


def check(living: Living, runs: int) -> None:
    jobs = listing(living.db, limit=10_000)
    assert len(jobs) == runs and {job.state for job in jobs} == {RunState.FINISHED}, [(j.state, j.why) for j in jobs]
    assert all(len(outputs(living.db, job.run)) == 1 for job in jobs)
    kept = audit.search(living.db, kind="run.finished", limit=10_000)
    assert collections.Counter(event["subject"] for event in kept) == dict.fromkeys((j.run for j in jobs), 1)
    assert [entry.kind for entry in history(living.place)].count("reserved") == QUESTIONS
    assert 0 < spent(living) <= QUESTIONS * rho_for(EPSILON, "1e-6")
    verify_house(living.place, living.db, living.keyring)


def test_twenty_runs_finish_once_each_while_workers_are_killed(two_workers: Living) -> None:
    assert carried_out(two_workers, 20) >= 1
    check(two_workers, 20)


@pytest.mark.audit
@pytest.mark.timeout(3600)
def test_five_hundred_runs_finish_once_each_while_workers_are_killed(two_workers: Living) -> None:
    assert carried_out(two_workers, 500) >= 20
    check(two_workers, 500)
