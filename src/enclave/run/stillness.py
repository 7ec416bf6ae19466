"""How does a jail stand still while its question is in the engine?

A thread that spins in the asking jail would see the engine finish by its share of the processor (soundness S7). So every
process of the jail is stopped from outside, and goes on when the reply leaves. Rules kept:

- found from process 1 downwards, by what the kernel says are its children: an orphan's parent is process 1, so nothing
  escapes; a stopped process starts no other, and passes are made until one finds nothing new
- each is held by a pidfd whose parent is checked after it was opened: a number used again is never signalled
- nothing here can keep a jail: its end is a kill, which a stopped process obeys; the caller goes on when the bell is gone
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from enclave.run.processes import is_stopped, members
from enclave.run.processes import parent as parent_of

_PASSES = 20
_STOPPING = 0.05
"""Seconds a process gets to be seen stopped; one deep in the kernel stops when it comes out."""


class Stillness:
    """The processes below one process 1, held while they stand still."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._held: dict[int, int] = {}  # number → pidfd

    def freeze(self) -> int:
        """Stop all; how many were found."""
        for _ in range(_PASSES):
            new = [(number, parent) for number, parent in members(self._first) if number not in self._held]
            if not [number for number, parent in new if self._stop(number, parent)]:
                break
        give_up = time.monotonic() + _STOPPING
        while not all(is_stopped(number) for number in self._held) and time.monotonic() < give_up:
            time.sleep(0.0005)
        return len(self._held)

    def thaw(self) -> None:
        """Let all go on; the ones that are gone meanwhile are let be."""
        for holding in self._held.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(holding, signal.SIGCONT)
            os.close(holding)
        self._held.clear()

    def _stop(self, number: int, parent: int) -> bool:
        try:
            holding = os.pidfd_open(number)
        except OSError:
            return False
        if parent and parent_of(number) not in (parent, self._first):
            os.close(holding)
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(holding, signal.SIGSTOP)
        self._held[number] = holding
        return True
