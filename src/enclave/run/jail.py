"""How is one job carried out in a jail?

A jail is started, gets one job, and is ended, whatever happens, with every process in it (`run.started`). It may be started
long before its job (`run.pool`): until then it may say once that it is ready, and anything else ends it. The job goes in
and frames come out by pipes; what they hold is hostile (`run.frames`, `run.output`).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import NoWall
from enclave.run.bounded import Malformed
from enclave.run.frames import FrameReader, OwnError, Progress
from enclave.run.limits import Limits
from enclave.run.notebook import Source
from enclave.run.parameters import check_parameters, spelled
from enclave.run.pipes import Pipes
from enclave.run.started import MOST_SAID, Started
from enclave.run.wall import Wall

_TICK = 0.25
_RESTLESS = 0.03
"""Seconds between looks at a jail whose share of the processor is about to change (`run.share`)."""
_LENGTHS = struct.Struct(">II")


@dataclass(frozen=True)
class JailSpec:
    """One job: a notebook and its typed parameters."""

    source: Source
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits | None = None
    """Narrower or wider than the wall's own; None: the wall's."""

    def __post_init__(self) -> None:
        check_parameters(self.parameters)

    def job(self) -> bytes:
        """What the runner reads: two lengths, its head, the notebook."""
        head = f'{{"parameters":{spelled(self.parameters)}}}'.encode()
        notebook = self.source.for_jail()
        return _LENGTHS.pack(len(head), len(notebook)) + head + notebook


@dataclass(frozen=True)
class Outcome:
    """How a jail ended. `notebook` is hostile (see `run.output`); `wall_seconds` and `said` are the operator's alone."""

    state: str
    why: str
    notebook: bytes | None
    error: OwnError | None
    wall_seconds: float
    said: str = ""


class _Stopped(Exception):
    """The run must be killed, for the reason `code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Jail:
    """One jail, from its start to its end; one job at most. Not for two threads at once."""

    def __init__(self, wall: Wall, limits: Limits, channel: socket.socket | None = None, *, warm: bool = False) -> None:
        """Start it; `channel` is its end of a socket pair to the broker, and the caller closes its own copy afterwards."""
        self._limits = limits
        self._begun = time.monotonic()
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            self._pipes = Pipes(wall, channel)
            self._stack.callback(self._pipes.close_all)
            self._started = Started(wall, limits, self._pipes, warm=warm)
            self._stack.callback(self._started.end)
            self._selector = selectors.DefaultSelector()
            self._stack.callback(self._selector.close)
            undo.pop_all()
        self._frames = FrameReader(limits)
        self._job = memoryview(b"")
        self._is_over = False
        for name in ("frames", "info", "said"):
            self._listen(name, selectors.EVENT_READ)

    def end(self) -> None:
        """Kill what lives of it; return when nothing is left. Ending twice is no trouble."""
        self._stack.close()

    # --- before its job ---------------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """True once its kernel waits for a job."""
        return self._frames.ready

    @property
    def process(self) -> int | None:
        """The number of its process 1 on this machine, once known."""
        return self._started.number

    def attend(self) -> bool:
        """Take what an idle jail has said, without waiting; False when it is good for nothing any more."""
        if self._is_over:
            return False
        try:
            self._hear(0)
        except Malformed:
            return False
        return not self._is_over

    @property
    def is_restless(self) -> bool:
        """True while `attend` should be called again soon, whether or not it says something."""
        return self._started.share is not None and self._started.share.is_restless

    def descriptors(self) -> list[int]:
        """What to wait on for `attend` to have something to do."""
        return [key.fd for key in self._selector.get_map().values()]

    # --- its job ----------------------------------------------------------------------------------------------------

    def carry_out(
        self,
        spec: JailSpec,
        *,
        bell: socket.socket | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
        still_wanted: Callable[[], bool] = lambda: True,
        begun: float | None = None,
    ) -> Outcome:
        """Run one notebook and end the jail; NoWall when it ended before it began with the notebook.

        `bell` says when the jail is to stand still (`enclave.broker.bell`); when it ends, the jail goes on. `still_wanted`
        is asked a few times a second, from this thread: renew a lease there, and say False to have the run killed.
        """
        begun, stopped = begun or time.monotonic(), ""
        self._frames.expect(spec.source)
        self._job = memoryview(spec.job())
        self._listen("job", selectors.EVENT_WRITE)
        if bell is not None:
            bell.setblocking(False)
            self._selector.register(bell, selectors.EVENT_READ, bell)
        try:
            self._until_end(begun + self._limits.seconds, on_progress, still_wanted)
        except _Stopped as reason:
            stopped = reason.code
        except Malformed:
            stopped = "run.result_over_cap"
        finally:
            self.end()
        return self._outcome(stopped, time.monotonic() - begun)

    def _outcome(self, stopped: str, took: float) -> Outcome:
        frames, said = self._frames, self._started.said
        if stopped:
            return Outcome("killed", stopped, None, None, took, said)
        if frames.end is None and self._started.ran_out:
            return Outcome("killed", "run.out_of_memory", None, None, took, said)
        if frames.end is None:
            if frames.progress is None:
                raise NoWall("run.jail_did_not_start", said=" ".join(said.split())[-600:] or "nothing")
            return Outcome("failed", "run.jail_broke", None, None, took, said)
        notebook = frames.notebook if frames.end.state == "finished" else None
        return Outcome(frames.end.state, frames.end.why, notebook, frames.end.error, took, said)

    def _until_end(
        self, deadline: float, on_progress: Callable[[Progress], None], still_wanted: Callable[[], bool]
    ) -> None:
        """Return when the runner ended or said it did; _Stopped at the deadline or when not wanted any more."""
        shown, asked = None, time.monotonic()
        while self._frames.end is None and not self._is_over:
            now = time.monotonic()
            if now >= deadline:
                raise _Stopped("run.deadline")
            if now - asked >= _TICK:
                asked = now
                if not still_wanted():
                    raise _Stopped("run.cancelled")
            if self.is_ready and self._started.share is not None:
                self._started.share.begin(self._limits.first_ms / 1000)
            self._hear(min(_RESTLESS if self.is_restless else _TICK, max(0.0, deadline - now)))
            if self._frames.progress is not shown and self._frames.progress is not None:
                shown = self._frames.progress
                on_progress(shown)

    # --- pipes ------------------------------------------------------------------------------------------------------

    def _listen(self, name: str, event: int) -> None:
        os.set_blocking(self._pipes.ours[name], False)
        self._selector.register(self._pipes.ours[name], event, name)

    def _drop(self, name: str) -> None:
        self._selector.unregister(self._pipes.ours[name])
        self._pipes.close(self._pipes.ours[name])

    def _hear(self, seconds: float) -> None:
        """Wait at most so long for something to read or write, and do it."""
        for key, _ in self._selector.select(timeout=seconds):
            if isinstance(key.data, socket.socket):
                self._ring(key.data)
            elif key.data == "job":
                self._write_job()
            else:
                self._read(key.data)
                if self._is_over:
                    return
        if self._started.share is not None:
            self._started.share.keep()

    def _write_job(self) -> None:
        try:
            self._job = self._job[os.write(self._pipes.ours["job"], self._job) :]
        except BrokenPipeError:
            self._job = self._job[:0]
        if not self._job:
            self._drop("job")

    def _read(self, name: str) -> None:
        """Take what `name` has; frames that end are the end of the runner."""
        data = os.read(self._pipes.ours[name], 1 << 20)
        if not data:
            self._drop(name)
            if name == "frames":
                self._is_over = True
                self._drain_said()
        elif name == "frames":
            self._frames.feed(data)
        elif name == "info":
            self._started.hold(data)
        else:
            self._started.hear(data)

    def _drain_said(self) -> None:
        """The runner is gone: what it said last is in the pipe."""
        with contextlib.suppress(OSError):
            while data := os.read(self._pipes.ours["said"], MOST_SAID):
                self._started.hear(data)

    def _ring(self, bell: socket.socket) -> None:
        """Stand still (`s` and a number) or go on (`g`); a bell that is gone lets the jail go on."""
        try:
            heard = bell.recv(256)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        still = self._started.stillness
        for said, number in zip(heard[::2], heard[1::2], strict=False):
            if still is not None and said == ord("s"):
                still.freeze()
            elif still is not None:
                still.thaw()
            if said == ord("s"):
                with contextlib.suppress(OSError):
                    bell.send(bytes([ord("k"), number]))
        if not heard:
            self._selector.unregister(bell)
            if still is not None:
                still.thaw()


def run(
    wall: Wall,
    spec: JailSpec,
    *,
    channel: socket.socket | None = None,
    bell: socket.socket | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    still_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run one notebook in a jail started for it; NoWall when the jail cannot be built here. Words as in `Jail`."""
    begun = time.monotonic()
    jail = Jail(wall, spec.limits or wall.limits, channel)
    return jail.carry_out(spec, bell=bell, on_progress=on_progress, still_wanted=still_wanted, begun=begun)
