"""The same plans on PostgreSQL: what follows what, what is skipped, what is due, what comes in once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.oracle import servers

from domicile.wire.shapes import BatchForm
from enclave import audit
from enclave.batch import Price, Schedule, cancel, hand_in_due, prepared, submit
from enclave.batch.batch import Batch, For
from enclave.batch.recurring import standing
from enclave.budget import NOTHING
from enclave.run import Limits, RunState, SandboxFiles, finish, lease_next
from enclave.run.follow import follow
from enclave.run.job import Job, listing
from enclave.store import Keyring, Place
from enclave.store.database import connect, migrate

LIMITS = Limits.default(SandboxFiles.find())
BOOK = json.dumps({"nbformat": 4, "cells": []})


@pytest.fixture(scope="module")
def db() -> Iterator[Engine]:
    with servers.postgres() as url:
        db = connect(url.replace("postgresql://", "postgresql+psycopg://"))
        migrate(db, "state")
        yield db
        db.dispose()


def handed_in(db: Engine, name: str, schedule: Schedule | None = None) -> Batch:
    runs = [
        {"name": "one", "notebook": "a", "epsilon": []},
        {"name": "two", "notebook": "a", "after": ["one"], "epsilon": []},
        {"name": "three", "notebook": "a", "after": ["two"], "epsilon": []},
    ]
    form = BatchForm.model_validate(
        {"name": name, "project": "prj", "dataset": "hospital", "notebooks": {"a": BOOK}, "runs": runs}
    )
    steps = prepared(form, LIMITS)
    free = Price({step.name: NOTHING for step in steps}, NOTHING, 1, 0.0, (), ())
    return submit(db, form, steps, free, For("grt", "researcher", 1, ""), LIMITS, schedule)


def ended(db: Engine, how: RunState) -> Job:
    job = lease_next(db, "w", 60)
    assert job is not None
    return finish(db, job, how)


def test_what_follows_starts_or_is_skipped(db: Engine) -> None:
    one = handed_in(db, "a line")
    assert handed_in(db, "a line") == one and len(listing(db)) == 3
    assert follow(db, "w") == []
    ended(db, RunState.FINISHED)
    assert len(follow(db, "w")) == 1
    ended(db, RunState.FAILED)
    while follow(db, "w"):
        pass
    assert {job.step: job.state for job in listing(db)} == {
        "one": RunState.FINISHED, "two": RunState.FAILED, "three": RunState.SKIPPED,
    }  # fmt: skip
    audit.verify_events(db)


def test_what_is_due_moves_on_once(db: Engine, tmp_path: Path) -> None:
    one = handed_in(db, "recurs", Schedule("0 12 * * *", "UTC", "9999-01-01T00:00:00.000000+00:00", 2))
    far = standing(db, one.batch)
    assert far is not None and far.due_at is not None
    keyring = Keyring(Place(tmp_path))  # a home without keys proves no grant: it is passed over, once, on record
    assert hand_in_due(db, keyring, Place(tmp_path), LIMITS, "w", far.due_at) == [one.batch]
    assert hand_in_due(db, keyring, Place(tmp_path), LIMITS, "w", far.due_at) == []
    after = standing(db, one.batch)
    assert after is not None and (after.fired, after.passed_over, after.why) == (0, 1, "store.no_key")
    assert cancel(db, "researcher", one.batch).state == "cancelled"
    audit.verify_events(db)
