"""What tests of the broker share: a home with records and a grant, a broker process of their own, a run that asks."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from tests.integration import broker_crasher
from tests.living import Living, free_port

from domicile.wire import frame
from enclave.broker.channel import ask_for_channel, control_path
from enclave.budget import AccountKind, Balance, balances
from enclave.people import Permissions
from enclave.run import Limits, SandboxFiles, Submission, lease_next
from enclave.run import submit as hand_in
from enclave.run.job import Job
from enclave.settings import Settings
from enclave.store import Keyring, open_state

NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}).encode()
QUICK_OPENING_MS = 400


def living_in(home: Path, like: Living) -> Living:
    """The same people and grant in a copy of the home."""
    settings = Settings.load(home, {})
    place = settings.place
    people = Permissions.load(place.policies)
    copy = Living(settings, Keyring(place), open_state(place), people, dict(like.tokens))
    copy.project, copy.request = like.project, like.request
    return copy


@contextmanager
def running(house: Living, **settings: int) -> Iterator[Living]:
    """The house under these settings, with its processes up."""
    lines = {"port": free_port(), **settings}.items()
    house.place.settings.write_text("".join(f"{name} = {value}\n" for name, value in lines))
    with living_in(house.place.home, house).up() as living:
        yield living


def leased(living: Living, seconds: float = 600) -> Job:
    """A run of the researcher, leased to a worker that never comes to start its jail."""
    limits = Limits.default(SandboxFiles.find())
    submission = Submission(living.project, living.request, "researcher", "hospital", 1, NOTEBOOK)
    hand_in(living.db, submission, limits)
    job = lease_next(living.db, "asker", seconds)
    assert job is not None
    return job


@dataclass(frozen=True)
class Heard:
    """One reply, and when it came."""

    head: dict[str, Any]
    body: bytes
    seconds: float

    @property
    def value(self) -> dict[str, Any]:
        assert self.head["ok"], self.head
        found: dict[str, Any] = self.head["value"]
        return found

    @property
    def code(self) -> str:
        assert not self.head["ok"], "it was answered"
        return str(self.head["problem"]["code"])


class Channel:
    """One channel of a leased run, as the jail has it."""

    def __init__(self, living: Living, job: Job) -> None:
        self._socket: socket.socket = ask_for_channel(
            control_path(living.settings.place), run=job.run, epoch=job.epoch, worker=job.worker or ""
        )
        self._socket.settimeout(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, verb: str, sql: str, epsilon: str) -> Heard:
        begun = time.monotonic()
        frame.send(self._socket, {"verb": verb, "dataset": "hospital", "sql": sql, "epsilon": epsilon, "id": 1})
        head, body = frame.receive(self._socket)
        return Heard(head, body, time.monotonic() - begun)

    def quote(self, sql: str, epsilon: str = "1") -> Heard:
        return self.say("quote", sql, epsilon)

    def ask(self, sql: str, epsilon: str = "1") -> Heard:
        return self.say("ask", sql, epsilon)


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["enclave.bootstrap.broker", "pytest"])  # a second per broker is spent on imports


@contextmanager
def broker(living: Living, point: str = "none", opening_ms: int = QUICK_OPENING_MS) -> Iterator[BaseProcess]:
    """A broker process that may end at `point`; asked to end afterwards, if it has not."""
    ready = living.place.run / "broker.ready"
    ready.unlink(missing_ok=True)
    process = _FORKS.Process(target=broker_crasher.main, args=(living.place.home, point, opening_ms))
    process.start()
    try:
        give_up = time.monotonic() + 30
        while not ready.exists():
            assert process.is_alive() and time.monotonic() < give_up, living.logs()
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.join(30)
        assert process.exitcode is not None, "it did not end"


def ended_by(process: BaseProcess) -> int:
    """How the process ended: minus the signal that killed it."""
    process.join(30)
    assert process.exitcode is not None, "it lives"
    return process.exitcode


def account(living: Living, kind: AccountKind = AccountKind.PROJECT) -> Balance:
    """Where the account of the grant's project, or its population, stands."""
    found = [b for b in balances(living.place) if b.kind is kind]
    assert len(found) == 1, found
    return found[0]


def spent(living: Living) -> int:
    """What the project has spent, in nano-rho; 0 before its account is opened."""
    return sum(b.spent.nano_rho for b in balances(living.place) if b.kind is AccountKind.PROJECT)
