"""The worker process: leases runs, has them carried out behind the wall, brings their outputs to vet and decided ones out.

One run at a time, and the gate beside it; more workers are more processes. Everything is read back from the database and
the world, so a worker may be killed at any line: its lease lapses, the run is queued again, and what was taken in or sent
is not done twice.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from enclave.access import check as check_grant
from enclave.access import expire_due
from enclave.access.standing import SYSTEM
from enclave.audit.event import now
from enclave.batch import hand_in_due
from enclave.bootstrap.gate import send_decided, take_in_finished
from enclave.bootstrap.house import House, open_house
from enclave.bootstrap.up import alone, ready
from enclave.broker.channel import Line, control_path
from enclave.broker.given import answers_given
from enclave.errors import EnclaveError, Refused
from enclave.run import Limits, SandboxFiles, Wall
from enclave.run.cgroup import Cages
from enclave.run.environment import Say, prepare
from enclave.run.follow import follow
from enclave.run.job import Job
from enclave.run.lease import finish, lease_next, take_over_expired, take_over_from
from enclave.run.perform import perform
from enclave.run.pool import Pool, Waiting, start
from enclave.run.states import RunState
from enclave.settings import Settings
from enclave.store import Changes, Place, write_atomically

log = logging.getLogger("enclave.worker")
_PAUSE = 1.0
_CLOCK = 0.5
"""Seconds after which a turn is taken though nothing was written: leases lapse, grants end, plans come due by the clock."""


def build_wall(settings: Settings, say: Say = lambda _: None) -> Wall:
    """The wall of this machine, its environment built if it is not there yet; NoWall names what is missing."""
    sandbox = SandboxFiles.find()
    limits = Limits.default(sandbox, seconds=settings.run_seconds)
    return Wall(sandbox, prepare(sandbox, say=say), limits, Cages.find())


def run(settings: Settings, name: str = "worker") -> None:
    """Work until asked to end; a run in progress is finished first, or taken over when its lease lapses."""
    with alone(settings.place, name), open_house(settings).closing() as house:
        wall = build_wall(settings)
        pool = Pool(wall, lambda: Line(control_path(settings.place)), settings.warm_jails)
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        worker = in_place_of_the_last(house.db, house.place, name)
        gate = threading.Thread(target=_until, args=(ended, house, lambda: keep_gate(house, wall.limits)), name="gate")
        gate.start()  # what was passed leaves, and what finished is vetted, while the next notebook runs
        try:
            with pool, ready(house.place, name):
                _until(ended, house, lambda: run_next(house, wall, pool, worker))
        finally:
            ended.set()
            gate.join()


def in_place_of_the_last(db: Engine, place: Place, name: str) -> str:
    """A worker's name in the database, used once; what the one before it left in the middle is queued again.

    Whoever holds the lock of `name` (`up.alone`) knows that the one before is dead: nobody has to wait for its leases.
    """
    kept = place.run / f"{name}.called"
    worker = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
    if kept.exists():
        for job in take_over_from(db, worker, kept.read_text()):
            log.info("%s was left in the middle, and is queued again", job.run)
    write_atomically(kept, worker.encode())
    return worker


def _until(ended: threading.Event, house: House, turn: Callable[[], bool]) -> None:
    """Take turns until asked to end. A turn's trouble is the operator's to read: one bad run must not end it for all.

    Trouble of any kind: a thread that ended would leave a worker that runs notebooks and vets nothing, or the reverse.
    Where nothing was to be done, the next turn waits for a commit, or for what comes due by the clock: an idle house
    costs next to nothing.
    """
    with contextlib.closing(Changes(house.db)) as changes:
        while not ended.is_set():
            changes.new()  # before the turn: what is written during it is for the next
            try:
                busy = turn()
            except Exception as trouble:  # one bad run must not end the worker's turns
                log.exception("a turn failed: %s", trouble)
                busy = ended.wait(_PAUSE)
            if not busy:
                _rest(ended, house.settings, changes)


def _rest(ended: threading.Event, settings: Settings, changes: Changes) -> None:
    due = time.monotonic() + _CLOCK
    while not ended.wait(settings.poll_seconds):
        if changes.new() or time.monotonic() >= due:
            return


def run_next(house: House, wall: Wall, pool: Pool, worker: str) -> bool:
    """Lease the run whose turn it is and carry it out; True when there was one."""
    take_over_expired(house.db, worker)
    job = lease_next(house.db, worker, house.settings.lease_seconds)
    if job is not None:
        _carry_out(house, wall, pool, job)
    return job is not None


def keep_gate(house: House, limits: Limits) -> bool:
    """Everything else there is to do: grants that ended, plans and runs whose time has come, outputs to vet, releases.

    True when there was some."""
    expire_due(house.db, house.keyring)
    busy = bool(hand_in_due(house.db, house.keyring, house.place, limits, SYSTEM))
    busy = bool(follow(house.db, SYSTEM)) or busy
    busy = take_in_finished(house) or busy
    return bool(send_decided(house)) or busy


def _carry_out(house: House, wall: Wall, pool: Pool, job: Job) -> None:
    """Run one leased job; whatever refuses it ends it by name."""
    try:
        check_grant(house.db, house.keyring, project=job.project, member=job.member, dataset=job.dataset, at=now())
        given = _jail_for(job, house, wall, pool)
    except EnclaveError as refusal:
        _fail(house, job, refusal)
        return
    with contextlib.closing(given):
        try:
            perform(
                house.db,
                wall,
                job,
                lease_seconds=house.settings.lease_seconds,
                given=given,
                questions=lambda: len(answers_given(house.db, job.run)),
            )
        except Refused as lost:  # cancelled, or taken over: whoever did that recorded it
            log.warning("%s: %s", job.run, lost.code)
        except EnclaveError as trouble:
            _fail(house, job, trouble)


def _jail_for(job: Job, house: House, wall: Wall, pool: Pool) -> Waiting:
    """A jail whose channel is this run's: one that waits, else one started now. Refused when the lease is not ours."""
    waiting = pool.take()
    if waiting is not None:
        with contextlib.suppress(EnclaveError):  # its broker may be gone, and a new one there
            return _bound(waiting, job)
    return _bound(start(wall, lambda: Line(control_path(house.settings.place)), warm=False), job)


def _bound(waiting: Waiting, job: Job) -> Waiting:
    with contextlib.ExitStack() as undo:
        undo.callback(waiting.close)
        waiting.line.bind(run=job.run, epoch=job.epoch, worker=job.worker or "")
        undo.pop_all()
    return waiting


def _fail(house: House, job: Job, trouble: EnclaveError) -> None:
    """End the run by the name of what stopped it, unless it was ended or taken over meanwhile."""
    log.error("%s: %s", job.run, trouble)
    with contextlib.suppress(Refused):
        finish(house.db, job, RunState.FAILED, why=trouble.code)
