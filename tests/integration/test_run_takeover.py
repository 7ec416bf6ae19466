"""A worker is killed in the middle of a run: the next does it under the next epoch, and nothing of the first is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from domicile.wire.shapes import OUTPUT_MIME
from enclave import audit
from enclave.errors import Refused
from enclave.run import (
    Limits,
    RunState,
    SandboxFiles,
    Submission,
    Wall,
    find,
    lease_next,
    outputs,
    perform,
    prepare,
    take_over_expired,
)
from enclave.run import submit as hand_in
from enclave.run.job import cancel
from enclave.store import Place, open_state

pytestmark = pytest.mark.xdist_group("jail take-over")

CELL = f"""
import time
from IPython.display import display
time.sleep(seconds)
display({{"{OUTPUT_MIME}": {{"value": seconds}}}}, raw=True)
"""
NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": CELL}]}).encode()

WORKER = """
import sys
from pathlib import Path
from enclave.run import Limits, SandboxFiles, Wall, lease_next, perform, prepare
from enclave.store import Place, open_state
db = open_state(Place(Path(sys.argv[1])))
sandbox = SandboxFiles.find()
wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox))
held = lease_next(db, "first", 1.5)
print("leased", flush=True)
perform(db, wall, held, lease_seconds=1.5)
"""


def submission(seconds: float) -> Submission:
    return Submission("project", "grt_1", "researcher", "hospital", 1, NOTEBOOK, {"seconds": seconds})


def test_a_run_whose_worker_was_killed_is_done_by_the_next(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make()
    db = open_state(place)
    sandbox = SandboxFiles.find()
    wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox))
    job = hand_in(db, submission(3), wall.limits)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None and worker.stdout.readline() == "leased\n"
    deadline = time.monotonic() + 20
    while not any(event["kind"] == "run.renewed" for event in audit.search(db, limit=10_000)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert take_over_expired(db, "second") == [], "the control: while it renews, nobody takes it over"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    while not (taken := take_over_expired(db, "second")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [(one.run, one.state) for one in taken] == [(job.run, RunState.QUEUED)]
    held = lease_next(db, "second", 30)
    assert held is not None and (held.run, held.epoch) == (job.run, 2)
    done = perform(db, wall, held, lease_seconds=30)
    assert (done.state, done.why, len(outputs(db, job.run))) == (RunState.FINISHED, "", 1)
    assert audit.verify_events(db) > 0
    db.dispose()


def test_a_cancelled_run_is_killed_while_it_runs(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make()
    db = open_state(place)
    sandbox = SandboxFiles.find()
    wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox))
    job = hand_in(db, submission(60), wall.limits)
    held = lease_next(db, "worker", 30)
    assert held is not None
    threading.Timer(1, cancel, (db, "researcher", job.run)).start()
    begun = time.monotonic()
    with pytest.raises(Refused, match="no longer held"):
        perform(db, wall, held, lease_seconds=30)
    assert time.monotonic() - begun < 10
    assert find(db, job.run).state == RunState.CANCELLED
    assert outputs(db, job.run) == []
    db.dispose()
