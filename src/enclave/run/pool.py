"""Which jails wait, warm, for a run?

A waiting jail has loaded what notebooks use, its kernel is up, and it can neither fork nor exec. It is used once and never
again. One long-lived thread starts jails and looks after them (bubblewrap's --die-with-parent counts threads): it replaces
what was taken, what is too old, what spoke out of turn, and what lost its broker. On any doubt a jail is ended. A run that
finds none ready is given one that is getting ready (a second start beside it would hold up both), else it starts its own.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from enclave.errors import EnclaveError
from enclave.run.jail import Jail
from enclave.run.wall import Wall

log = logging.getLogger("enclave.worker")

OLDEST = 600.0
"""Seconds after which a waiting jail is replaced: what it holds open and has loaded ages."""

_START = 60.0
_LOOK = 1.0
_SOON = 0.03
_AFTER_TROUBLE = 5.0


class Line(Protocol):
    """A channel to the broker that is nobody's yet (`enclave.broker.channel.Line`)."""

    channel: socket.socket
    control: socket.socket

    def bind(self, *, run: str, epoch: int, worker: str) -> None: ...

    def close(self) -> None: ...


@dataclass(eq=False)
class Waiting:
    """One jail that waits for its run, and its line. Whoever takes it ends it."""

    jail: Jail
    line: Line
    since: float

    def close(self) -> None:
        """End the jail and give its channel up."""
        self.line.close()
        self.jail.end()

    def is_good(self) -> bool:
        """False when it is too old, does not get ready, spoke out of turn, or its broker is gone."""
        if time.monotonic() - self.since > (OLDEST if self.jail.is_ready else _START):
            return False
        return self.jail.attend() and not _has_news(self.line.control)


def _has_news(control: socket.socket) -> bool:
    """Nothing is said on the line of an unbound channel: what can be read there is its end."""
    look = select.poll()
    look.register(control, select.POLLIN)
    return bool(look.poll(0))


def start(wall: Wall, open_line: Callable[[], Line], *, warm: bool) -> Waiting:
    """A jail of the wall's own limits with a channel of nobody's yet."""
    line = open_line()
    with ExitStack() as undo:
        undo.callback(line.close)
        jail = Jail(wall, wall.limits, line.channel, warm=warm)
        line.channel.close()  # the jail has it now
        undo.pop_all()
    return Waiting(jail, line, time.monotonic())


class Pool:
    """At most `size` waiting jails, looked after by a thread of the pool's own until it is closed."""

    def __init__(self, wall: Wall, open_line: Callable[[], Line], size: int) -> None:
        self._wall, self._open_line = wall, open_line
        self._size = size
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()
        self._closing = False
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._keeper = threading.Thread(target=self._keep, name="pool")

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._closing = True
        self._look_again()
        self._keeper.join()
        for waiting in self._waiting:
            waiting.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)

    def take(self) -> Waiting | None:
        """The jail that waited longest, else the one that will be ready first; the caller's to end now. None: there is none.

        A job may be handed in before the jail is ready: it lies in the pipe until the runner reads it.
        """
        with self._lock:
            for waiting in sorted(self._waiting, key=lambda w: not w.jail.is_ready):  # the oldest of each kind first
                if waiting.is_good():
                    self._waiting.remove(waiting)
                    self._look_again()
                    return waiting
        return None

    def ready(self) -> int:
        """How many jails wait, their kernels up."""
        with self._lock:
            return sum(w.jail.is_ready for w in self._waiting)

    def processes(self) -> list[int]:
        """Process 1 of each waiting jail."""
        with self._lock:
            return [w.jail.process for w in self._waiting if w.jail.process is not None]

    def _look_again(self) -> None:
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._wake, b".")

    def _keep(self) -> None:
        resume = 0.0
        while not self._closing:
            self._end_doubtful()
            if len(self._waiting) < self._size and time.monotonic() >= resume:
                try:
                    started = start(self._wall, self._open_line, warm=True)
                    with self._lock:
                        self._waiting.append(started)
                except (EnclaveError, OSError) as trouble:
                    log.warning("no jail could be started ahead of its run: %s", trouble)
                    resume = time.monotonic() + _AFTER_TROUBLE
            self._wait()

    def _end_doubtful(self) -> None:
        with self._lock:
            doubtful = [w for w in self._waiting if not w.is_good()]
            self._waiting = [w for w in self._waiting if w not in doubtful]
        for waiting in doubtful:
            log.info("a waiting jail is ended")
            waiting.close()

    def _wait(self) -> None:
        """Until a jail or a line says something, one was taken, or it is time to look at ages."""
        look = select.poll()
        with self._lock:
            for waiting in self._waiting:
                for descriptor in (*waiting.jail.descriptors(), waiting.line.control.fileno()):
                    look.register(descriptor, select.POLLIN)
            seconds = _SOON if any(waiting.jail.is_restless for waiting in self._waiting) else _LOOK
        look.register(self._woken, select.POLLIN)
        if any(at == self._woken for at, _ in look.poll(seconds * 1000)):
            os.read(self._woken, 4096)
