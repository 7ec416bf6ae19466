"""The asking jail stands still while its question is in the engine, and nothing can keep it still."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from domicile.wire import frame
from enclave.broker.bell import Bell

from .conftest import Runner

pytestmark = pytest.mark.xdist_group("jail runs")

SPIN = """
import os, socket, threading, time
from domicile.wire import frame
channel = socket.socket(fileno=int(os.environ["DOMICILE_CHANNEL"]))
turns = [0]
def spin():
    while True:
        turns[0] += 1
threading.Thread(target=spin, daemon=True).start()
begun, first = time.monotonic(), turns[0]
time.sleep(0.5)
rate = (turns[0] - first) / (time.monotonic() - begun)
"""
ASK = """
before = turns[0]
frame.send(channel, {"verb": "ask"})
frame.receive(channel)
declare((turns[0] - before) / rate)
"""
IN_ENGINE = 1.0
Broker = Callable[[socket.socket, socket.socket], None]


def asked(jailed: Runner, broker: Broker) -> float:
    """Seconds of its own work that the jail did while its question was in the engine."""
    (ours, theirs), (line, bell) = socket.socketpair(), socket.socketpair()
    thread = threading.Thread(target=broker, args=(ours, line))
    thread.start()
    with ours, theirs, line, bell:
        (worked,) = jailed.declared(SPIN, ASK, channel=theirs, bell=bell, seconds=40)
        thread.join()
    return float(worked)


def test_the_jail_works_no_further_while_its_question_runs(jailed: Runner) -> None:
    rung: list[tuple[bool, float]] = []

    def broker(channel: socket.socket, line: socket.socket) -> None:
        frame.receive(channel)
        begun = time.monotonic()
        with Bell(line).standing_still() as still:
            rung.append((still, time.monotonic() - begun))
            time.sleep(IN_ENGINE)
        frame.send(channel, {"ok": True})

    assert asked(jailed, broker) < IN_ENGINE / 4
    ((still, took),) = rung
    assert still
    assert took < IN_ENGINE / 2, "a few milliseconds on a machine at rest"


def test_control_without_the_bell_it_sees_the_whole_time(jailed: Runner) -> None:
    def broker(channel: socket.socket, line: socket.socket) -> None:
        frame.receive(channel)
        time.sleep(IN_ENGINE)
        frame.send(channel, {"ok": True})

    tries = (asked(jailed, broker) for _ in range(6))  # a busy machine may give it little of any one second
    assert any(worked > IN_ENGINE / 4 for worked in tries)


def test_a_broker_that_dies_lets_the_jail_go_on(jailed: Runner) -> None:
    def broker(channel: socket.socket, line: socket.socket) -> None:
        frame.receive(channel)
        line.sendall(b"s\x01")
        assert line.recv(2) == b"k\x01"
        line.shutdown(socket.SHUT_RDWR)  # killed here
        time.sleep(0.2)
        frame.send(channel, {"ok": True})

    assert asked(jailed, broker) >= 0


def test_the_deadline_ends_a_jail_that_stands_still(jailed: Runner) -> None:
    (ours, theirs), (line, bell) = socket.socketpair(), socket.socketpair()

    def broker() -> None:
        frame.receive(ours)
        line.sendall(b"s\x01")

    threading.Thread(target=broker, daemon=True).start()
    with ours, theirs, line, bell:
        begun = time.monotonic()
        outcome = jailed(SPIN, ASK, channel=theirs, bell=bell, seconds=6)
    assert (outcome.state, outcome.why) == ("killed", "run.deadline")
    assert time.monotonic() - begun < 15


def test_a_bell_nobody_answers_is_waited_for_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.broker.bell.PATIENCE", 0.1)
    line, silent = socket.socketpair()
    with line, silent:
        begun = time.monotonic()
        with Bell(line).standing_still() as still:
            assert not still
        silent.close()
        with Bell(line).standing_still() as still:
            assert not still
        assert time.monotonic() - begun < 1


SUPERVISOR = """
import socket, sys, threading, time
from enclave.run import JailSpec, Limits, SandboxFiles, Source, Wall, prepare
from enclave.run.jail import run
from enclave.run.notebook import Cell
sandbox = SandboxFiles.find()
wall = Wall(sandbox, prepare(sandbox), Limits.default(sandbox, seconds=60, cpu_seconds=874))
line, bell = socket.socketpair()
def ring():
    line.sendall(b"s\\x01")
    line.recv(2)
    print("still", flush=True)
def shown(progress):
    if progress.stage == "running":
        threading.Thread(target=ring).start()
run(wall, JailSpec(Source((Cell("code", "while True: pass"),))), bell=bell, on_progress=shown)
"""


def test_nothing_is_left_when_the_worker_is_killed_while_the_jail_stands_still(
    left_over: Callable[[str], list[int]],
) -> None:
    """The runner's own watchdog is stopped too: then the kernel's word of the starter's death must end the jail."""
    worker = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    mark = '"cpu_seconds": 874'
    assert worker.stdout.readline() == "still\n"
    assert left_over(mark), "the control: the jail is there"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    deadline = time.monotonic() + 5
    while left_over(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(mark) == []
