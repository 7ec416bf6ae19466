"""Attack: hold the broker up, or make it hold something: half a request, a byte now and then, a reply that is not read, a
descriptor sent along, a head that says whose money it is.

Controls: a request in two parts, a long silence between requests and a reader who reads are served; a receiver who asks for
descriptors gets them.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from tests.attacks.asked import Door, granted_to, unheard

from domicile.wire import frame
from enclave.broker import patience
from enclave.broker.session import Session
from enclave.budget import AccountKind, balances

DESCRIBE = {"verb": "describe", "dataset": "hospital", "id": 1}
COUNT = {"verb": "ask", "dataset": "hospital", "sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "1", "id": 1}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WHOLE_WITHIN", 0.4)
    monkeypatch.setattr(patience, "TAKEN_WITHIN", 0.4)


@contextmanager
def served(door: Door) -> Iterator[tuple[socket.socket, threading.Thread]]:
    """The jail's end of a channel, and the thread that serves it until its session is over."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with ours, unheard() as bell:
            Session(door.asking, door.asker(door.living.project), door.living.db).serve(ours, bell)

    serving = threading.Thread(target=serve)
    serving.start()
    with theirs:
        theirs.settimeout(20)
        yield theirs, serving
    serving.join()


def spelled(head: dict[str, Any]) -> bytes:
    here, there = socket.socketpair()
    with here, there:
        frame.send(here, head)
        return there.recv(1 << 16)


def is_ended(channel: socket.socket) -> bool:
    try:
        return channel.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("part", [b"\0", spelled(DESCRIBE)[:7], spelled(DESCRIBE)[:-1]])
def test_half_a_request_ends_the_channel(door: Door, part: bytes) -> None:
    with served(door) as (channel, _):
        channel.sendall(part)
        assert is_ended(channel)


def test_a_byte_now_and_then_wins_no_time(door: Door) -> None:
    with served(door) as (channel, serving):
        with suppress(OSError):  # it ends while we drip
            for byte in spelled(DESCRIBE)[:-1]:
                channel.sendall(bytes([byte]))
                time.sleep(0.05)
        serving.join(10)
        assert not serving.is_alive()


def test_control_a_request_in_two_parts_and_a_silence_before_it_are_served(door: Door) -> None:
    with served(door) as (channel, _):
        time.sleep(0.6)
        text = spelled(DESCRIBE)
        channel.sendall(text[:9])
        time.sleep(0.05)
        channel.sendall(text[9:])
        assert frame.receive(channel)[0]["ok"]


def test_a_reply_that_is_not_read_ends_the_channel(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "EACH_SECOND", 1e6)
    with served(door) as (channel, serving):
        channel.setblocking(False)
        give_up = time.monotonic() + 20
        while serving.is_alive() and time.monotonic() < give_up:
            with suppress(OSError):
                channel.send(spelled(DESCRIBE))
            time.sleep(0.001)
        assert not serving.is_alive()


def test_a_descriptor_that_is_sent_along_is_nobodys(door: Door) -> None:
    read, write = os.pipe()
    with served(door) as (channel, _):
        socket.send_fds(channel, [spelled(DESCRIBE)], [write])
        os.close(write)
        assert frame.receive(channel)[0]["ok"], "it came with a whole request"
        assert select.select([read], [], [], 5)[0], "nobody holds the other end"
    os.close(read)
    read, write = os.pipe()
    here, there = socket.socketpair()
    with here, there:
        socket.send_fds(here, [b"x"], [write])
        _, (kept,), _, _ = socket.recv_fds(there, 1, 1)
        os.close(write)
        assert not select.select([read], [], [], 0.1)[0], "the control: one who asks for it holds it"
        os.close(kept)
    os.close(read)


def test_whose_question_it_is_is_not_read_from_its_head(door: Door) -> None:
    other = granted_to(door.living, "stranger")
    claims = {"project": other, "member": "stranger", "run": "run_0", "epoch": 7, "rho": 0, "price": "0", "free": True}
    with served(door) as (channel, _):
        frame.send(channel, {**COUNT, **claims})
        head, _ = frame.receive(channel)
    assert head["ok"], head
    spent = {b.account.project: b.spent.nano_rho for b in balances(door.living.place) if b.kind is AccountKind.PROJECT}
    assert spent[door.living.project] > 0 and spent.get(other, 0) == 0


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_who_asks_faster_than_the_pace_waits_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    pace = patience.Pace()
    for _ in range(patience.AT_ONCE):
        pace.wait()
    assert clock.now == 0, "what is asked at once is heard at once"
    for _ in range(100):
        pace.wait()
    assert clock.now == pytest.approx(100 / patience.EACH_SECOND)
    clock.now += 1000
    before = clock.now
    for _ in range(patience.AT_ONCE):
        pace.wait()
    assert clock.now == before, "who was silent may ask at once again, and no more than before"
    pace.wait()
    assert clock.now > before
