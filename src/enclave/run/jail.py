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
import selectors
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import NoWall
from enclave.run.bounded import Malformed
from enclave.run.frames import FrameReader, OwnError, Progress
from enclave.run.limits import Limits
from enclave.run.notebook import Source
from enclave.run.parameters import check_parameters, spelled
from enclave.run.wall import Descriptors, Wall

_TICK = 0.25
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


@contextlib.contextmanager
def _pipes(wall: Wall, channel: socket.socket | None) -> Iterator[tuple[Descriptors, dict[str, int]]]:
    """The ends that cross, and ours by name; ours are closed at the end whatever happens."""
    with contextlib.ExitStack() as stack:

        def pipe(inside: int) -> tuple[int, int]:
            ends = os.pipe2(os.O_CLOEXEC)
            for end in ends:
                stack.callback(_close, end)
            return ends[inside], ends[1 - inside]

        ours: dict[str, int] = {}
        crossing: dict[str, int] = {}
        for name, inside in (("job", 0), ("frames", 1), ("watchdog", 0), ("info", 1), ("said", 1)):
            crossing[name], ours[name] = pipe(inside)
        for name, program in zip(("filter", "notebook_filter"), wall.programs, strict=True):
            crossing[name] = memory = os.memfd_create(name, os.MFD_CLOEXEC)
            stack.callback(_close, memory)
            os.write(memory, program)
            os.lseek(memory, 0, os.SEEK_SET)
        ours["their_said"] = crossing.pop("said")
        yield Descriptors(**crossing, channel=channel.fileno() if channel else None), ours


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)


class _Jail:
    """One started jail and our ends of its pipes."""

    def __init__(self, wall: Wall, limits: Limits, descriptors: Descriptors, ours: dict[str, int]) -> None:
        self._ours = ours
        uid, gid, groups = wall.environment.user.change
        self._process = subprocess.Popen(
            wall.command(descriptors, limits),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=ours["their_said"],
            pass_fds=descriptors.crossing(),
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=groups,
        )
        for descriptor in (*descriptors.crossing(), ours["their_said"]):
            if descriptor != descriptors.channel:  # the caller's to close
                _close(descriptor)
        self._first: int | None = None  # pidfd of process 1
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

    def end(self) -> None:
        """Kill process 1, and with it the namespace; return when nothing is left."""
        _close(self._ours["watchdog"])
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
            gone = selectors.DefaultSelector()
            gone.register(self._first, selectors.EVENT_READ)
            gone.select(timeout=10)
            os.close(self._first)
        try:
            self._process.wait(timeout=None if self._first is None and self._process.poll() is not None else 5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Listening:
    """Feeds the job in and the frames out until the end, a broken rule, or the deadline."""

    def __init__(self, jail: _Jail, ours: dict[str, int], spec: JailSpec, limits: Limits) -> None:
        self._jail = jail
        self._job = memoryview(spec.job())
        self._ours = ours
        self._selector = selectors.DefaultSelector()
        self.frames = FrameReader(spec.source, limits)
        for name in ("job", "frames", "info", "said"):
            os.set_blocking(ours[name], False)
            event = selectors.EVENT_WRITE if name == "job" else selectors.EVENT_READ
            self._selector.register(ours[name], event, name)

    def _drop(self, name: str) -> None:
        self._selector.unregister(self._ours[name])
        _close(self._ours[name])

    def _write_job(self) -> None:
        try:
            self._job = self._job[os.write(self._ours["job"], self._job) :]
        except BrokenPipeError:
            self._job = self._job[:0]
        if not self._job:
            self._drop("job")

    def _read(self, name: str) -> bool:
        """Take what `name` has; False when the frames ended."""
        data = os.read(self._ours[name], 1 << 20)
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
                if key.data == "job":
                    self._write_job()
                elif not self._read(key.data):
                    self._drain_said()
                    return
            if self.frames.progress is not shown and self.frames.progress is not None:
                shown = self.frames.progress
                on_progress(shown)

    def _drain_said(self) -> None:
        """The runner is gone: what it said last is in the pipe."""
        with contextlib.suppress(OSError):
            while data := os.read(self._ours["said"], _SAID):
                self._jail.said += data[: _SAID - len(self._jail.said)]


def run(
    wall: Wall,
    spec: JailSpec,
    *,
    channel: socket.socket | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    still_wanted: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Run one notebook behind the wall; NoWall when the jail cannot be built here.

    `channel` is the jail's end of a socket pair to the broker; the caller closes its copy afterwards. `still_wanted` is
    asked a few times a second, from this thread: renew a lease there, and say False to have the run killed.
    """
    limits = spec.limits or wall.limits
    begun = time.monotonic()
    with _pipes(wall, channel) as (descriptors, ours):
        jail = _Jail(wall, limits, descriptors, ours)
        listening = _Listening(jail, ours, spec, limits)
        stopped = ""
        try:
            listening.until_end(begun + limits.seconds, on_progress, still_wanted)
        except _Stopped as reason:
            stopped = reason.code
        except Malformed:
            stopped = "run.result_over_cap"
        finally:
            jail.end()
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
