"""How is one jail started, listened to and ended?

`run` starts the one command of `run.wall`, hands the job in and reads frames out by pipes, and ends the jail, whatever
happens, with every process in it. The caller's thread must outlive the jail (bubblewrap's --die-with-parent counts
threads), and it does: `run` returns only when nothing is left. How a jail dies, all parts needed:

 1. its process 1 is our runner, whose end ends the namespace; the notebook cannot stop it;
 2. the host holds process 1 by a pidfd and kills it at the deadline, at a broken rule, or when told to stop;
 3. the runner holds one end of a watchdog pipe and ends itself when the host is gone (kill -9 of the worker);
 4. the outer process ends by itself then, and is killed only if it does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
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
from enclave.run.stillness import Stillness
from enclave.run.wall import Descriptors, Wall

_TICK = 0.25
_PATIENCE = 5  # seconds the outer process gets to end by itself
_SAID = 16 * 1024  # what is kept of bubblewrap's own words, for the operator
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


class _Pipes:
    """Both ends of every pipe. Each is closed once: a number closed twice may by then be another thread's."""

    def __init__(self, wall: Wall, channel: socket.socket | None) -> None:
        self._open: set[int] = set()
        crossing: dict[str, int] = {}
        self.ours: dict[str, int] = {}
        for name, inside in (("job", 0), ("frames", 1), ("watchdog", 0), ("info", 1), ("said", 1)):
            ends = os.pipe2(os.O_CLOEXEC)
            self._open.update(ends)
            crossing[name], self.ours[name] = ends[inside], ends[1 - inside]
        for name, program in zip(("filter", "notebook_filter"), wall.programs, strict=True):
            crossing[name] = memory = os.memfd_create(name, os.MFD_CLOEXEC)
            self._open.add(memory)
            os.write(memory, program)
            os.lseek(memory, 0, os.SEEK_SET)
        self.stderr = crossing.pop("said")
        self.crossing = Descriptors(**crossing, channel=channel.fileno() if channel else None)

    def close(self, *descriptors: int) -> None:
        for descriptor in self._open.intersection(descriptors):
            self._open.remove(descriptor)
            os.close(descriptor)

    def close_all(self) -> None:
        self.close(*self._open)


class _Jail:
    """One started jail and our ends of its pipes."""

    def __init__(self, wall: Wall, limits: Limits, pipes: _Pipes) -> None:
        self._pipes = pipes
        uid, gid, groups = wall.environment.user.change
        self._process = subprocess.Popen(
            wall.command(pipes.crossing, limits),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=pipes.stderr,
            pass_fds=pipes.crossing.all(),
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=groups,
        )
        pipes.close(*pipes.crossing.all(), pipes.stderr)  # not the channel: that is the caller's
        self._first: int | None = None  # pidfd of process 1
        self.stillness: Stillness | None = None
        self._info = bytearray()
        self.said = bytearray()

    def hold(self, data: bytes) -> None:
        """Take what bubblewrap says of the process it started, and hold that process by a pidfd."""
        self._info += data
        if self._first is None and b"}" in self._info and len(self._info) < _SAID:
            number = json.loads(self._info)["child-pid"]
            with contextlib.suppress(ProcessLookupError):
                self._first = os.pidfd_open(number)
            if self._process.poll() is not None and self._first is not None:
                os.close(self._first)  # the number may already be another's
                self._first = None
            if self._first is not None:
                self.stillness = Stillness(number)

    def end(self) -> None:
        """Kill process 1, and with it the namespace; return when nothing is left."""
        self._pipes.close(self._pipes.ours["watchdog"])
        if self.stillness is not None:
            self.stillness.thaw()
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
            gone = select.poll()
            gone.register(self._first, select.POLLIN)
            gone.poll(_PATIENCE * 1000)
            os.close(self._first)
        try:
            self._process.wait(_PATIENCE if self._first is not None else 0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Listening:
    """Feeds the job in and the frames out until the end, a broken rule, or the deadline."""

    def __init__(self, jail: _Jail, pipes: _Pipes, spec: JailSpec, limits: Limits, bell: socket.socket | None) -> None:
        self._jail = jail
        self._job = memoryview(spec.job())
        self._pipes = pipes
        self._selector = selectors.DefaultSelector()
        self.frames = FrameReader(spec.source, limits)
        for name in ("job", "frames", "info", "said"):
            os.set_blocking(pipes.ours[name], False)
            event = selectors.EVENT_WRITE if name == "job" else selectors.EVENT_READ
            self._selector.register(pipes.ours[name], event, name)
        self._bell = bell
        if bell is not None:
            bell.setblocking(False)
            self._selector.register(bell, selectors.EVENT_READ, "bell")

    def _ring(self, bell: socket.socket) -> None:
        """Stand still (`s` and a number) or go on (`g`); a bell that is gone lets the jail go on."""
        try:
            heard = bell.recv(256)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        still = self._jail.stillness
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

    def _drop(self, name: str) -> None:
        self._selector.unregister(self._pipes.ours[name])
        self._pipes.close(self._pipes.ours[name])

    def _write_job(self) -> None:
        try:
            self._job = self._job[os.write(self._pipes.ours["job"], self._job) :]
        except BrokenPipeError:
            self._job = self._job[:0]
        if not self._job:
            self._drop("job")

    def _read(self, name: str) -> bool:
        """Take what `name` has; False when the frames ended."""
        data = os.read(self._pipes.ours[name], 1 << 20)
        if not data:
            self._drop(name)
            return name != "frames"
        if name == "frames":
            self.frames.feed(data)
        elif name == "info":
            self._jail.hold(data)
        else:
            self._jail.said += data[: _SAID - len(self._jail.said)]
        return True

    def until_end(self, deadline: float, on_progress: Callable[[Progress], None], wanted: Callable[[], bool]) -> None:
        """Return when the runner ended or said it did; _Stopped at the deadline or when not wanted any more."""
        shown, asked = None, time.monotonic()
        while self.frames.end is None:
            now = time.monotonic()
            if now >= deadline:
                raise _Stopped("run.deadline")
            if now - asked >= _TICK:
                asked = now
                if not wanted():
                    raise _Stopped("run.cancelled")
            for key, _ in self._selector.select(timeout=min(_TICK, max(0.0, deadline - now))):
                if key.data == "bell" and self._bell is not None:
                    self._ring(self._bell)
                elif key.data == "job":
                    self._write_job()
                elif not self._read(key.data):
                    self._drain_said()
                    return
            if self.frames.progress is not shown and self.frames.progress is not None:
                shown = self.frames.progress
                on_progress(shown)

    def close(self) -> None:
        self._selector.close()

    def _drain_said(self) -> None:
        """The runner is gone: what it said last is in the pipe."""
        with contextlib.suppress(OSError):
            while data := os.read(self._pipes.ours["said"], _SAID):
                self._jail.said += data[: _SAID - len(self._jail.said)]


def run(
    wall: Wall,
    spec: JailSpec,
    *,
    channel: socket.socket | None = None,
    bell: socket.socket | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    still_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run one notebook behind the wall; NoWall when the jail cannot be built here.

    `channel` is the jail's end of a socket pair to the broker; the caller closes its copy afterwards. `bell` says when the
    jail is to stand still (`enclave.broker.bell`); when it ends, the jail goes on. `still_wanted` is asked a few times a
    second, from this thread: renew a lease there, and say False to have the run killed.
    """
    limits = spec.limits or wall.limits
    begun = time.monotonic()
    pipes, stopped = _Pipes(wall, channel), ""
    with contextlib.ExitStack() as stack:
        stack.callback(pipes.close_all)
        jail = _Jail(wall, limits, pipes)
        stack.callback(jail.end)
        listening = _Listening(jail, pipes, spec, limits, bell)
        stack.callback(listening.close)
        try:
            listening.until_end(begun + limits.seconds, on_progress, still_wanted)
        except _Stopped as reason:
            stopped = reason.code
        except Malformed:
            stopped = "run.result_over_cap"
    took, said = time.monotonic() - begun, jail.said.decode(errors="replace")
    frames = listening.frames
    if stopped:
        return Outcome("killed", stopped, None, None, took, said)
    if frames.end is None:
        if frames.progress is None:
            raise NoWall("run.jail_did_not_start", said=" ".join(said.split())[-600:] or "nothing")
        return Outcome("failed", "run.jail_broke", None, None, took, said)
    notebook = frames.notebook if frames.end.state == "finished" else None
    return Outcome(frames.end.state, frames.end.why, notebook, frames.end.error, took, said)
