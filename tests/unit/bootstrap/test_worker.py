"""The loops of a worker: what goes wrong in one turn, and who comes after whom."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from enclave import audit
from enclave.bootstrap import worker
from enclave.bootstrap.birth import Mark
from enclave.bootstrap.house import House
from enclave.run import Limits, RunState, SandboxFiles, Submission, find, lease_next, submit
from enclave.settings import Settings


def house_of(cast: Any) -> House:
    return House(Settings(cast.place.home), cast.db, cast.keyring, cast.permissions, Mark(True, "2026-01-01", ""))


@pytest.mark.parametrize(
    "trouble", [IntegrityError("INSERT", {}, ValueError()), RuntimeError("a bug of ours"), OSError()]
)
def test_no_trouble_of_a_turn_ends_the_loop(trouble: Exception, monkeypatch: pytest.MonkeyPatch, cast: Any) -> None:
    """A gate that ended at a trouble of the database left a worker that ran notebooks and vetted nothing."""
    monkeypatch.setattr(worker, "_PAUSE", 0.0)
    ended, turns = threading.Event(), []

    def turn() -> bool:
        turns.append(1)
        if len(turns) == 1:
            raise trouble
        ended.set()
        return False

    worker._until(ended, house_of(cast), turn)
    assert len(turns) == 2


def test_an_idle_loop_takes_a_turn_when_something_is_written_or_by_the_clock(
    monkeypatch: pytest.MonkeyPatch, cast: Any
) -> None:
    monkeypatch.setattr(worker, "_CLOCK", 3600.0)
    ended, turns = threading.Event(), queue.SimpleQueue[int]()

    def turn() -> bool:
        turns.put(1)
        return False

    house = house_of(cast)
    loop = threading.Thread(target=worker._until, args=(ended, house, turn))
    loop.start()
    try:
        turns.get(timeout=30)
        with pytest.raises(queue.Empty):
            turns.get(timeout=10 * house.settings.poll_seconds)  # nothing was written
        with audit.record(cast.db, audit.Event("access.refused", "operator", "operator", {})):
            pass
        turns.get(timeout=30)
        monkeypatch.setattr(worker, "_CLOCK", 0.0)
        with audit.record(cast.db, audit.Event("access.refused", "operator", "operator", {})):
            pass
        for _ in range(3):  # one for what was written, and then by the clock
            turns.get(timeout=30)
    finally:
        ended.set()
        loop.join()


def test_who_comes_in_the_place_of_a_dead_worker_queues_at_once_what_it_left(cast: Any) -> None:
    limits = Limits.default(SandboxFiles.find())
    notebook = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}'
    first, other = (worker.in_place_of_the_last(cast.db, cast.place, name) for name in ("worker", "worker-2"))
    jobs = [submit(cast.db, Submission("p", "g", "researcher", "hospital", 1, notebook), limits) for _ in range(2)]
    left, not_left = (lease_next(cast.db, name, 3600) for name in (first, other))
    assert left is not None and not_left is not None
    second = worker.in_place_of_the_last(cast.db, cast.place, "worker")
    assert second != first
    assert find(cast.db, left.run).state is RunState.QUEUED
    assert find(cast.db, not_left.run).state is RunState.RUNNING, "the control: the other worker lives"
    assert [e["actor"] for e in audit.search(cast.db, kind="run.taken_over")] == [second]
    again = lease_next(cast.db, second, 3600)
    assert again is not None and (again.run, again.epoch) == (left.run, 2) and len(jobs) == 2
