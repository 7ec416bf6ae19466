"""How much of the processor does a jail get while others want it too?

A jail stands back a little while it starts, comes forward for the first moments of its run, and makes way after them: a
short run of one person is not held up by the start, the long sum or the bomb of another (docs/decisions/0080). Where
nobody else wants the processor a jail has all of it, as ever.

The jail's cgroup says so where it has a share to give, else its session: each is one group to the kernel's scheduler
(sched_autogroup, on in Debian), with a niceness that is written from outside and that nothing inside can reach. Where
there is neither, all jails are equal; `enclave selfcheck` says which.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from enclave.run.cgroup import Cage, Cages
from enclave.run.processes import processor_seconds

STARTING, FORWARD, BACK = 3, 0, 10
"""Niceness of a jail beside others: each step is a quarter of a share more or less, so 1/2, 1 and 1/9 of one (sched(7))."""
_ENABLED = Path("/proc/sys/kernel/sched_autogroup_enabled")


class Share:
    """What the jail of one process 1 gets; from outside, and only ever by `begin` more than before."""

    def __init__(self, first: int, cage: Cage | None) -> None:
        self._first, self._cage = first, cage
        self._starters = self._group()
        self._nice = STARTING
        self._is_told = False
        self._forward_until: float | None = None
        self._has_begun = False
        self.keep()

    @property
    def is_restless(self) -> bool:
        """True while `keep` should be called often: the kernel does not know yet, or its first moments may soon be over."""
        return not self._is_told or self._forward_until is not None

    def begin(self, seconds: float) -> None:
        """Its run begins: it comes forward until it has used `seconds` of processor time. Said again it changes nothing."""
        if not self._has_begun:
            self._has_begun = True
            self._forward_until = processor_seconds(self._first) + seconds
            self._set(FORWARD)

    def keep(self) -> None:
        """Make way once the first moments are over; tell the kernel what it does not know yet."""
        if self._forward_until is not None and processor_seconds(self._first) >= self._forward_until:
            self._forward_until = None
            self._set(BACK)
        if not self._is_told:
            self._is_told = self._tell()

    def _set(self, nice: int) -> None:
        self._nice, self._is_told = nice, False

    def _tell(self) -> bool:
        """False when it must be tried again: bubblewrap has not made its session yet, or the kernel says "not so often"."""
        if self._cage is not None and self._cage.weigh(self._nice):
            return True
        group = self._group()
        if not group:
            return True  # no such thing in this kernel, or the jail is gone
        if group == self._starters:
            return False
        with contextlib.suppress(OSError):
            self._at.write_text(str(self._nice))
            return True
        return False

    @property
    def _at(self) -> Path:
        return Path(f"/proc/{self._first}/autogroup")

    def _group(self) -> str:
        """The name of the session's group, for instance /autogroup-42; "" where there is none."""
        with contextlib.suppress(OSError):
            return self._at.read_text().split()[0]
        return ""


def shared_by(cages: Cages | None) -> str:
    """The code of the words for what shares the processor between jails on this machine."""
    if cages is not None and cages.shares:
        return "run.shared_by_cgroup"
    with contextlib.suppress(OSError):
        if _ENABLED.read_text().strip() == "1":
            return "run.shared_by_session"
    return "run.shared_equally"
