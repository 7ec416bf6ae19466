"""How is the process of a jail started, held and ended?

How a jail dies, all parts needed:

 1. its process 1 is our runner, whose end ends the namespace; the notebook cannot stop it;
 2. the host holds process 1 by a pidfd, before it executes anything, and kills it at the deadline, at a broken rule, or when
    told to stop; where the machine has cgroups for us, all that is in the jail's own is killed too;
 3. the runner holds one end of a watchdog pipe and ends itself when the host is gone (kill -9 of the worker);
 4. the outer process ends by itself then, and is killed only if it does not.

The thread that starts a jail must outlive it (bubblewrap's --die-with-parent counts threads).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess

from enclave.run.cgroup import caps_of
from enclave.run.limits import Limits
from enclave.run.pipes import Pipes
from enclave.run.share import Share
from enclave.run.stillness import Stillness
from enclave.run.wall import Wall

_PATIENCE = 5  # seconds the outer process gets to end by itself
MOST_SAID = 16 * 1024  # what is kept of bubblewrap's own words, for the operator


class Started:
    """One started jail: its outer process, and process 1 once bubblewrap has told its number."""

    def __init__(self, wall: Wall, limits: Limits, pipes: Pipes, *, warm: bool) -> None:
        self._pipes = pipes
        uid, gid, groups = wall.environment.user.change
        with contextlib.ExitStack() as undo:
            self._cage = wall.cages.make(caps_of(limits)) if wall.cages else None
            if self._cage is not None:
                undo.callback(self._cage.end)
            self._process = subprocess.Popen(
                wall.command(pipes.crossing, limits, warm=warm),
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
            undo.pop_all()
        pipes.close(*pipes.crossing.all(), pipes.stderr)  # not the channel: that is the caller's
        self._first: int | None = None  # pidfd of process 1
        self.number: int | None = None
        self.stillness: Stillness | None = None
        self.share: Share | None = None
        self.ran_out = False
        """Once it ended: it was killed because its memory was used up."""
        self._info = bytearray()
        self._said = bytearray()

    @property
    def said(self) -> str:
        """What bubblewrap and the runner wrote as errors, for the operator."""
        return self._said.decode(errors="replace")

    def hear(self, data: bytes) -> None:
        """Keep the first words."""
        self._said += data[: MOST_SAID - len(self._said)]

    def hold(self, data: bytes) -> None:
        """Take what bubblewrap says of the process it started, and hold that process by a pidfd."""
        self._info += data
        if self._first is None and b"}" in self._info and len(self._info) < MOST_SAID:
            self.number = int(json.loads(self._info)["child-pid"])
            with contextlib.suppress(ProcessLookupError):
                self._first = os.pidfd_open(self.number)
            if self._process.poll() is not None and self._first is not None:
                os.close(self._first)  # the number may already be another's
                self._first = None
            if self._first is not None:
                self.stillness = Stillness(self.number)
                self.share = Share(self.number, self._cage)
            self._let_go()

    def _let_go(self) -> None:
        """Process 1 is held: count it where that can be done, then let it execute the runner."""
        try:
            if self._cage is not None and self._first is not None:
                self._cage.take(self.number or 0)
        except OSError as refused:  # uncounted it does not start: a pipe that is closed would let it go
            self.hear(f"cgroup: {refused}".encode())
            self._kill()
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipes.ours["go"], b"g")
        self._pipes.close(self._pipes.ours["go"])

    def _kill(self) -> None:
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def end(self) -> None:
        """Kill process 1, and with it the namespace; return when nothing is left."""
        self._pipes.close(self._pipes.ours["watchdog"])
        if self.stillness is not None:
            self.stillness.thaw()
        if self._first is not None:
            self._kill()
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
        if self._cage is not None:
            self.ran_out = self._cage.ran_out()
            self._cage.end()
