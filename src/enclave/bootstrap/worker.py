"""The worker process: leases runs, has them carried out behind the wall, brings their outputs to vet and decided ones out.

One run at a time; more workers are more processes. Everything is read back from the database and the world, so a worker
may be killed at any line: its lease lapses, the run is queued again, and what was taken in or sent is not done twice.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading

from enclave.access import check as check_grant
from enclave.access import expire_due
from enclave.audit.event import now
from enclave.bootstrap.broker import control_path
from enclave.bootstrap.gate import send_decided, take_in_finished
from enclave.bootstrap.house import House, open_house
from enclave.bootstrap.up import alone, ready
from enclave.broker.channel import ask_for_line
from enclave.broker.given import answers_given
from enclave.errors import EnclaveError, NoWall, Refused
from enclave.run import Limits, SandboxFiles, Wall
from enclave.run.environment import Say, prepare
from enclave.run.job import Job
from enclave.run.lease import finish, lease_next, take_over_expired
from enclave.run.perform import perform
from enclave.run.states import RunState
from enclave.settings import Settings

log = logging.getLogger("enclave.worker")


def build_wall(settings: Settings, say: Say = lambda _: None) -> Wall:
    """The wall of this machine, its environment built if it is not there yet; NoWall names what is missing."""
    sandbox = SandboxFiles.find()
    limits = Limits.default(sandbox, seconds=settings.run_seconds)
    return Wall(sandbox, prepare(sandbox, say=say), limits)


def run(settings: Settings) -> None:
    """Work until asked to end; a run in progress is finished first, or taken over when its lease lapses."""
    with alone(settings.place, "worker"), open_house(settings).closing() as house:
        wall = build_wall(settings)
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        worker = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        with ready(house.place, "worker"):
            while not ended.is_set():
                if not turn(house, wall, worker):
                    ended.wait(settings.poll_seconds)


def turn(house: House, wall: Wall, worker: str) -> bool:
    """One look at everything there is to do; True when there was something."""
    take_over_expired(house.db, worker)
    expire_due(house.db, house.keyring)
    job = lease_next(house.db, worker, house.settings.lease_seconds)
    if job is not None:
        _carry_out(house, wall, job)
    busy = take_in_finished(house)
    return bool(send_decided(house)) or busy or job is not None


def _carry_out(house: House, wall: Wall, job: Job) -> None:
    """Run one leased job; whatever refuses it ends it by name."""
    try:
        check_grant(house.db, house.keyring, project=job.project, member=job.member, dataset=job.dataset, at=now())
        channel, bell = ask_for_line(
            control_path(house.settings), run=job.run, epoch=job.epoch, worker=job.worker or ""
        )
    except EnclaveError as refusal:
        finish(house.db, job, RunState.FAILED, why=refusal.code)
        return
    with channel, bell:
        try:
            perform(
                house.db,
                wall,
                job,
                lease_seconds=house.settings.lease_seconds,
                channel=channel,
                bell=bell,
                questions=lambda: len(answers_given(house.db, job.run)),
            )
        except NoWall as missing:
            log.error("%s", missing)
            finish(house.db, job, RunState.FAILED, why=missing.code)
        except Refused as lost:  # cancelled, or taken over: whoever did that recorded it
            log.warning("%s: %s", job.run, lost.code)
