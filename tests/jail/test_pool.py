"""Jails that wait: used once, ended on any doubt, and no weaker than one started for its run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enclave.run import JailSpec, Outcome, Wall, collect, pool
from enclave.run.pool import Pool, Waiting
from enclave.run.selfcheck import planting, probe

from .conftest import notebook
from .probes import PROBES, unexpected

pytestmark = pytest.mark.xdist_group("jail runs")


class FakeBroker:
    """Hands out channels of nobody's, and keeps its ends of them."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []

    def __call__(self) -> Line:
        (ours, channel), (line, control) = socket.socketpair(), socket.socketpair()
        self.ends += [ours, line]
        return Line(channel, control)

    def close(self) -> None:
        for end in self.ends:
            end.close()


class Line:
    """What the pool needs of `enclave.broker.channel.Line`."""

    def __init__(self, channel: socket.socket, control: socket.socket) -> None:
        self.channel, self.control = channel, control

    def bind(self, *, run: str, epoch: int, worker: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.channel.close()
        self.control.close()


@pytest.fixture
def broker() -> Iterator[FakeBroker]:
    fake = FakeBroker()
    yield fake
    fake.close()


def taken(kept: Pool) -> Waiting:
    """A jail that waits, its kernel up."""
    until(lambda: kept.ready() > 0, "no jail got ready")
    waiting = kept.take()
    assert waiting is not None and waiting.jail.is_ready
    return waiting


def until(what: Callable[[], bool], why: str, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up, why
        time.sleep(0.02)


def alive(number: int) -> bool:
    """A zombie is dead: it waits for whoever is its parent now."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def done(waiting: Waiting, *cells: str) -> Outcome:
    try:
        return waiting.jail.carry_out(JailSpec(notebook(*cells)), bell=waiting.line.control)
    finally:
        waiting.close()


def declared(wall: Wall, outcome: Outcome, *cells: str) -> list[object]:
    assert outcome.state == "finished", outcome
    return [json.loads(b.payload)["value"] for b in collect(outcome.notebook or b"", notebook(*cells), wall.limits)]


def test_each_waiting_jail_runs_one_notebook_and_another_takes_its_place(wall: Wall, broker: FakeBroker) -> None:
    cell = "import os, random, numpy; declare([hash('x'), random.random(), numpy.random.random(), len(In)])"
    seen, numbers = [], []
    with Pool(wall, broker, 1) as kept:
        for _ in range(2):
            waiting = taken(kept)
            numbers.append(waiting.jail.process)
            seen.append(declared(wall, done(waiting, cell), cell)[0])
            until(lambda: not alive(numbers[-1] or 0), "a used jail lives")
        until(lambda: kept.ready() == 1, "it is not replaced")
        numbers += kept.processes()
    assert len(set(map(str, numbers))) == 3, "each is used once"
    assert all(a != b for a, b in zip(seen[0][:3], seen[1][:3], strict=True)), "no seed is shared"  # type: ignore[index]
    assert seen[0][3] == 3, "nothing was executed before its first cell"  # type: ignore[index]  # In: "", declare, this
    assert not any(alive(number or 0) for number in numbers), "closing the pool leaves nothing"


def test_a_run_that_finds_no_jail_ready_gets_the_one_that_is_getting_ready(wall: Wall, broker: FakeBroker) -> None:
    """A second start beside the first would hold up both."""
    with Pool(wall, broker, 1) as kept:
        until(lambda: bool(kept.processes()), "none was started")
        (first,) = kept.processes()
        waiting = kept.take()
        assert waiting is not None and not waiting.jail.is_ready
        outcome = done(waiting, "declare(1)")
        assert (declared(wall, outcome, "declare(1)"), waiting.jail.process) == ([1], first)
        until(lambda: kept.processes() not in ([], [first]), "it is not replaced")


def test_a_waiting_jail_is_walled_like_any_other(wall: Wall, broker: FakeBroker) -> None:
    """The canary of the self-check, tried in a warm jail; its control is the same canary outside (test_probes)."""
    with Pool(wall, broker, 1) as kept, planting() as planted, contextlib.closing(taken(kept)) as waiting:
        found = probe(wall, planted, carry_out=waiting.jail.carry_out)
    assert unexpected(found) == [] and list(found) == list(PROBES)


@pytest.mark.parametrize("trouble", ["killed", "broker gone", "too old"])
def test_on_any_doubt_a_waiting_jail_is_replaced(
    wall: Wall, broker: FakeBroker, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_LOOK", 0.1)
    with Pool(wall, broker, 1) as kept:
        until(lambda: kept.ready() == 1, "no jail got ready")
        (first,) = kept.processes()
        time.sleep(0.4)
        assert kept.processes() == [first], "the control: left alone it is kept"
        if trouble == "killed":
            os.kill(first, signal.SIGKILL)
        elif trouble == "broker gone":
            broker.close()
        else:
            monkeypatch.setattr(pool, "OLDEST", 0.0)
        until(lambda: not alive(first), "the doubtful jail lives")
        monkeypatch.undo()
        if trouble != "broker gone":
            until(lambda: kept.ready() == 1 and kept.processes() != [first], "it is not replaced")


KEEPER = """
import sys, time
from enclave.run import Limits, SandboxFiles, Wall, prepare
from enclave.run.pool import Pool
from tests.jail.test_pool import FakeBroker
sandbox = SandboxFiles.find()
with Pool(Wall(sandbox, prepare(sandbox), Limits.default(sandbox)), FakeBroker(), 1) as kept:
    while not kept.ready():
        time.sleep(0.02)
    print(kept.processes()[0], flush=True)
    time.sleep(600)
"""


def test_waiting_jails_die_with_their_worker(wall: Wall) -> None:
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert keeper.stdout is not None
    first = int(keeper.stdout.readline())
    assert alive(first), "the control"
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    until(lambda: not alive(first), "a jail outlived its worker", 10)
