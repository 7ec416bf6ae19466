"""How are the three processes started, seen and stopped?

Each process holds a lock on its own pid file for as long as it lives, so that "is it running?" is asked of the kernel and
a `kill -9` leaves nothing stale. `up` is idempotent: what runs is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from enclave.errors import Incident, Refused
from enclave.settings import Settings
from enclave.store import Place

BROKER, WORKER, SERVE = "broker", "worker", "serve"
_children: dict[Path, list[subprocess.Popen[bytes]]] = {}
"""What this very process started, by home: kept so that it can be reaped, should it end while we live."""
_START_SECONDS = 60
_STOP_SECONDS = 20
_ATTEMPTS = 50


@dataclass(frozen=True)
class Seen:
    """One process as found: its pid when it runs."""

    name: str
    pid: int | None


@contextmanager
def alone(place: Place, name: str) -> Iterator[None]:
    """Be the one process of this name in the home, or be refused."""
    with (place.run / f"{name}.pid").open("a+") as file:
        _lock(file, name)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock(file: IO[str], name: str) -> None:
    """Take the lock; whoever only looks (`seen`) holds it for an instant, so it is tried for a moment."""
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            if attempt == _ATTEMPTS - 1:
                raise Refused("up.already_running", name=name) from taken
            time.sleep(0.01)
        else:
            return


def seen(place: Place, name: str) -> Seen:
    """Whether a process of this name runs now."""
    path = place.run / f"{name}.pid"
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Seen(name, int(file.read() or 0) or None)
    except FileNotFoundError:
        pass
    return Seen(name, None)


def worker_name(number: int) -> str:
    """What the n-th worker of this machine is called: worker, worker-2, …"""
    return WORKER if number == 1 else f"{WORKER}-{number}"


def status(place: Place) -> tuple[Seen, ...]:
    """All processes that the home has or had, in the order in which they are started."""
    more = sorted((p.stem for p in place.run.glob(f"{WORKER}-*.pid")), key=lambda name: int(name.rpartition("-")[2]))
    return tuple(seen(place, name) for name in (BROKER, WORKER, *more, SERVE))


def _environment(settings: Settings) -> dict[str, str]:
    """What a process of ours gets from the caller's environment: where programs and words are, nothing else."""
    kept = ("PATH", "LANG", "LC_ALL", "DOMICILE_LANG", "HOME", "ENCLAVE_HOST", "ENCLAVE_PORT", "ENCLAVE_STATE_URL")
    return {k: v for k, v in os.environ.items() if k in kept} | {"ENCLAVE_HOME": str(settings.home)}


def up(settings: Settings) -> tuple[Seen, ...]:
    """Start what does not run and wait until each answers; Incident names the log of one that does not."""
    for name in (BROKER, *map(worker_name, range(1, settings.workers + 1)), SERVE):
        child = None
        give_up = time.monotonic() + _START_SECONDS
        while not _ready(settings, name):
            ended = child is not None and child.poll() is not None
            if seen(settings.place, name).pid is None:
                # a process that was killed may hold its lock until the kernel has let go of it: asked each time anew
                if ended:
                    raise _did_not_start(settings, name)
                child = child or _start(settings, name)
            if time.monotonic() > give_up:
                raise _did_not_start(settings, name)
            time.sleep(0.05)
    return status(settings.place)


def _did_not_start(settings: Settings, name: str) -> Incident:
    return Incident("up.did_not_start", name=name, log=str(settings.place.run / f"{name}.log"))


def _start(settings: Settings, name: str) -> subprocess.Popen[bytes]:
    (settings.place.run / f"{name}.ready").unlink(missing_ok=True)  # left behind by a kill -9
    verb, _, number = name.partition("-")
    command = [sys.executable, "-m", "enclave.cli", "--home", str(settings.home), verb]
    command += ["--number", number] if number else []
    with (settings.place.run / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(settings),
            cwd=settings.home,
        )
    _children.setdefault(settings.home, []).append(child)
    return child


def _ready(settings: Settings, name: str) -> bool:
    if seen(settings.place, name).pid is None:
        return False
    if name != SERVE:
        return (settings.place.run / f"{name}.ready").exists()
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{settings.url}/api/v1/health", timeout=2, trust_env=False).status_code == 200
    return False


@contextmanager
def ready(place: Place, name: str) -> Iterator[None]:
    """Say `name` is ready for as long as the block lasts."""
    mark = place.run / f"{name}.ready"
    mark.touch(0o600)
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def down(place: Place) -> None:
    """Ask each process to end, the door first and the broker last; kill what does not."""
    for found in reversed(status(place)):
        if found.pid is not None:
            _stop(place, found.name, found.pid)
            (place.run / f"{found.name}.ready").unlink(missing_ok=True)
    _reap(place)


def _reap(place: Place) -> None:
    """Take the exit of what we started here and was stopped: the lock goes an instant before the process does."""
    for child in _children.pop(place.home, []):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_SECONDS)


def _stop(place: Place, name: str, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + _STOP_SECONDS
        while seen(place, name).pid == pid and time.monotonic() < give_up:
            time.sleep(0.05)
        if seen(place, name).pid == pid:
            os.kill(pid, signal.SIGKILL)
