"""Plans that recur: each occurrence is handed in exactly once, by several workers, through kill -9; what was missed, what
may not be now, and where it ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from tests.living import Living

from domicile.wire.shapes import BatchForm
from enclave import audit
from enclave.access import find_grant, suspend
from enclave.audit.event import now
from enclave.batch import BatchState, cancel, find, hand_in_due, prepared, price, recurring, submit
from enclave.batch.batch import Batch, For
from enclave.batch.recurring import standing
from enclave.batch.schedule import checked
from enclave.bootstrap.house import open_house
from enclave.bootstrap.worker import keep_gate
from enclave.budget import Ledger
from enclave.catalogue import find as find_dataset
from enclave.custody.proof import verify_house
from enclave.errors import Refused
from enclave.run import Limits, RunState, SandboxFiles, finish, lease_next
from enclave.run.follow import follow
from enclave.run.job import Job, listing
from enclave.run.job import cancel as cancel_run
from enclave.run.review import decide
from enclave.settings import Settings
from enclave.store import Keyring, open_state
from enclave.store.database import connect

LIMITS = Limits.default(SandboxFiles.find())
BOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "1"}]})


def planned(
    house: Living, times: int | None = 12, name: str = "daily", days: int = 20, cron: str = "0 12 * * *"
) -> Batch:
    """A plan of two runs, the second after the first, due every day at noon (UTC)."""
    with Ledger.of(house.place):
        pass
    runs = [
        {"name": "one", "notebook": "a.ipynb", "epsilon": ["0.1"]},
        {"name": "two", "notebook": "a.ipynb", "after": ["one"], "epsilon": []},
    ]
    until = date.today() + timedelta(days=days)
    form = BatchForm.model_validate(
        {
            "name": name, "project": house.project, "dataset": "hospital", "notebooks": {"a.ipynb": BOOK}, "runs": runs,
            "schedule": {"cron": cron, "until": until, "times": times},
        }
    )  # fmt: skip
    grant = find_grant(house.db, house.keyring, house.permissions, house.member("researcher"), house.project)
    steps, dataset, at = prepared(form, LIMITS), find_dataset(house.db, "hospital"), now()
    assert form.schedule is not None
    schedule = checked(form.schedule, at, grant.ends_at)
    priced = price(house.place, dataset, grant, "researcher", steps, schedule.count(at))
    return submit(house.db, form, steps, priced, For(grant.id, "researcher", 1, ""), LIMITS, schedule)


def due(house: Living, one: Batch) -> datetime:
    far = standing(house.db, one.batch)
    assert far is not None and far.due_at is not None
    return datetime.fromisoformat(far.due_at)


def fire(house: Living, at: datetime) -> list[str]:
    text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return hand_in_due(house.db, house.keyring, house.place, LIMITS, "worker", text)


def finished(house: Living) -> None:
    """Carry out whatever is queued or waits."""
    while True:
        follow(house.db, "worker")
        job = lease_next(house.db, "w", 60)
        if job is None:
            return
        finish(house.db, job, RunState.FINISHED)


def runs_of(house: Living, one: Batch) -> list[Job]:
    return [job for job in listing(house.db, limit=10_000) if job.batch == one.batch]


def events(house: Living, kind: str) -> list[dict[str, Any]]:
    return [event["detail"] for event in audit.search(house.db, kind=kind, limit=10_000)]


def test_nothing_runs_before_it_is_due_and_then_once(house: Living) -> None:
    one = planned(house)
    assert one.state is BatchState.OPEN and runs_of(house, one) == []
    first = due(house, one)
    assert fire(house, first - timedelta(seconds=1)) == [] and fire(house, first) == [one.batch]
    assert fire(house, first) == [] and due(house, one) == first + timedelta(days=1)
    jobs = {job.step: job for job in runs_of(house, one)}
    assert {name: (job.state, job.occurrence) for name, job in jobs.items()} == {
        "one": (RunState.QUEUED, 1), "two": (RunState.WAITING, 1),
    }  # fmt: skip
    finished(house)
    fire(house, first + timedelta(days=1))
    assert Counter((job.step, job.occurrence) for job in runs_of(house, one)) == dict.fromkeys(
        [("one", 1), ("two", 1), ("one", 2), ("two", 2)], 1
    )


def test_of_those_missed_the_latest_runs_late_and_the_others_are_passed_over(house: Living) -> None:
    one = planned(house)
    first = due(house, one)
    fire(house, first + timedelta(days=4, hours=5))
    far = standing(house.db, one.batch)
    assert far is not None and (far.fired, far.passed_over) == (1, 4)
    assert due(house, one) == first + timedelta(days=5)
    (said,) = events(house, "batch.due")
    assert said["passed_over"] == 4 and said["due"][:10] == str((first + timedelta(days=4)).date())


def test_it_is_passed_over_while_the_one_before_has_not_ended(house: Living) -> None:
    one = planned(house)
    first = due(house, one)
    fire(house, first)
    fire(house, first + timedelta(days=1))
    far = standing(house.db, one.batch)
    assert far is not None and (far.fired, far.passed_over, far.why) == (1, 1, "batch.still_running")
    finished(house)
    fire(house, first + timedelta(days=2))
    far = standing(house.db, one.batch)
    assert far is not None and (far.fired, far.passed_over, far.why) == (2, 1, "")


def test_without_its_grant_it_is_passed_over_and_says_so(house: Living) -> None:
    one = planned(house)
    suspend(house.db, house.keyring, house.permissions, house.member("officer"), house.project, reason="test")
    fire(house, due(house, one))
    assert runs_of(house, one) == []
    (said,) = events(house, "batch.passed_over")
    assert said["code"] == "access.grant_suspended" and said["count"] == 1


def test_it_ends_with_its_count_and_with_its_last_day(house: Living) -> None:
    counted, dated = planned(house, times=2, name="counted"), planned(house, times=None, name="dated", days=3)
    first, days = due(house, counted), 0
    while (far := standing(house.db, dated.batch)) is not None and far.due_at is not None:
        finished(house)
        fire(house, first + timedelta(days=days))
        days += 1
        assert days < 9
    far = standing(house.db, counted.batch)
    assert far is not None and far.fired == 2 and find(house.db, counted.batch).state is BatchState.COMPLETE
    assert find(house.db, dated.batch).state is BatchState.COMPLETE and 3 <= days <= 4


def test_a_batch_that_was_called_off_is_due_no_more(house: Living) -> None:
    one = planned(house)
    when = due(house, one)
    cancel(house.db, "researcher", one.batch)
    assert fire(house, when) == [] and runs_of(house, one) == []


def test_the_workers_own_loop_hands_it_in(house: Living) -> None:
    one = planned(house, times=1)
    with open_house(house.settings).closing() as opened:
        assert not keep_gate(opened, LIMITS), "the control: it is not due"
        with sqlite3.connect(house.place.home / "state.db") as state:
            state.execute("UPDATE schedules SET due_at = '2026-01-01T12:00:00.000000+00:00'")
        assert keep_gate(opened, LIMITS)
    assert [(job.step, job.state) for job in runs_of(house, one)] and find(
        house.db, one.batch
    ).state is BatchState.COMPLETE


def test_one_that_cannot_be_moved_on_holds_up_no_other(house: Living) -> None:
    broken, sound = planned(house, name="broken"), planned(house, name="sound")
    with sqlite3.connect(house.place.home / "state.db") as state:
        state.execute("UPDATE schedules SET timezone = 'Nowhere/Any' WHERE batch = ?", (broken.batch,))
    assert fire(house, due(house, sound)) == [sound.batch]
    assert runs_of(house, broken) == [] and len(runs_of(house, sound)) == 2


def test_code_that_was_passed_once_recurs_without_asking(house: Living) -> None:
    policy = house.place.policies / "run.toml"
    policy.write_text(policy.read_text().replace("projects = []", f"projects = ['{house.project}']"))
    one = planned(house)
    first = due(house, one)
    fire(house, first)
    jobs = runs_of(house, one)
    assert {job.state for job in jobs} == {RunState.SUBMITTED}
    decide(house.db, house.permissions, house.member("steward"), jobs[0].run, "pass", "read it", LIMITS)
    finished(house)
    fire(house, first + timedelta(days=1))
    assert {job.state for job in runs_of(house, one) if job.occurrence == 2} == {RunState.QUEUED, RunState.WAITING}


def test_code_that_was_refused_is_not_asked_about_again(house: Living) -> None:
    policy = house.place.policies / "run.toml"
    policy.write_text(policy.read_text().replace("projects = []", f"projects = ['{house.project}']"))
    one = planned(house)
    first = due(house, one)
    fire(house, first)
    run = runs_of(house, one)[0].run
    decide(house.db, house.permissions, house.member("steward"), run, "refuse", "what for?", LIMITS)
    fire(house, first + timedelta(days=1))
    far = standing(house.db, one.batch)
    assert far is not None and (far.fired, far.passed_over, far.why) == (1, 1, "run.code_refused")
    assert {job.state for job in runs_of(house, one)} == {RunState.REFUSED}


def _worker(home: Path, batch_: str) -> None:
    """Asks for what is due at the very instant it is, and ends what was handed in, for as long as it lives."""
    settings = Settings.load(home, {})
    db, keyring = connect(settings.place.state), Keyring(settings.place)
    (home / f"asks-{os.getpid()}").touch()
    while not (home / "go").exists():
        time.sleep(0.005)
    while (far := standing(db, batch_)) is not None and far.due_at is not None:
        hand_in_due(db, keyring, settings.place, LIMITS, f"w{os.getpid()}", far.due_at)
        for job in listing(db, limit=20):
            if job.ended_at is None:
                with suppress(Refused):  # the other was quicker
                    cancel_run(db, "researcher", job.run)


@pytest.mark.timeout(240)
def test_two_workers_and_kill_9_hand_each_occurrence_in_exactly_once(house: Living) -> None:
    one, fresh, chance = (
        planned(house, times=60, cron="0 * * * *"),
        multiprocessing.get_context("spawn"),
        random.Random(7),
    )

    def started() -> BaseProcess:
        child = fresh.Process(target=_worker, args=(house.place.home, one.batch))
        child.start()
        give_up = time.monotonic() + 60
        while not (house.place.home / f"asks-{child.pid}").exists():
            assert time.monotonic() < give_up and child.is_alive()
            time.sleep(0.005)
        return child

    workers, kills = [started(), started()], 0
    (house.place.home / "go").touch()
    while find(house.db, one.batch).state is BatchState.OPEN and kills < 3:
        time.sleep(chance.uniform(0.0, 0.1))
        victim = workers[kills % 2]
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join(30)
        kills += 1
        workers[(kills - 1) % 2] = started()
    for worker in workers:
        worker.join(120)
    assert find(house.db, one.batch).state is BatchState.COMPLETE
    jobs = runs_of(house, one)
    far = standing(house.db, one.batch)
    assert kills >= 1 and far is not None and far.fired >= 30
    counted = Counter((job.step, job.occurrence) for job in jobs)
    assert counted == dict.fromkeys([(s, n) for s in ("one", "two") for n in range(1, far.fired + 1)], 1)
    said = events(house, "batch.due")
    assert [s["occurrence"] for s in said] == list(range(1, far.fired + 1))
    days = [s["due"] for s in said]
    assert len(days) == len(set(days)), "no occurrence twice"
    verify_house(house.place, house.db, house.keyring)


def _dies(home: Path, batch_: str, at: str) -> None:
    settings = Settings.load(home, {})
    vars(recurring)["enter_all"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    hand_in_due(open_state(settings.place), Keyring(settings.place), settings.place, LIMITS, "w", at)


def test_killed_in_the_middle_of_handing_in_it_is_handed_in_whole_by_the_next(house: Living) -> None:
    one = planned(house)
    when = due(house, one)
    child = multiprocessing.get_context("spawn").Process(
        target=_dies, args=(house.place.home, one.batch, when.isoformat(timespec="microseconds"))
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert due(house, one) == when and runs_of(house, one) == [] and events(house, "batch.due") == []
    assert fire(house, when) == [one.batch] and len(runs_of(house, one)) == 2
