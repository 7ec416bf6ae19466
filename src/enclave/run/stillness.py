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
from collections.abc import Iterator
from pathlib import Path

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
            new = [(number, parent) for number, parent in self._members() if number not in self._held]
            if not [number for number, parent in new if self._stop(number, parent)]:
                break
        give_up = time.monotonic() + _STOPPING
        while not all(_stopped(number) for number in self._held) and time.monotonic() < give_up:
            time.sleep(0.0005)
        return len(self._held)

    def thaw(self) -> None:
        """Let all go on; the ones that are gone meanwhile are let be."""
        for holding in self._held.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(holding, signal.SIGCONT)
            os.close(holding)
        self._held.clear()

    def _members(self) -> Iterator[tuple[int, int]]:
        """Process 1 and all below it, each with its parent."""
        waiting = [(self._first, 0)]
        seen = set()
        while waiting:
            number, parent = waiting.pop()
            if number not in seen:
                seen.add(number)
                yield number, parent
                waiting += [(child, number) for child in _children(number)]

    def _stop(self, number: int, parent: int) -> bool:
        try:
            holding = os.pidfd_open(number)
        except OSError:
            return False
        if parent and _parent(number) not in (parent, self._first):
            os.close(holding)
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(holding, signal.SIGSTOP)
        self._held[number] = holding
        return True


def _children(number: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{number}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def _about(number: int) -> list[str]:
    """State, parent, … as the kernel tells them; the name before them may hold anything."""
    try:
        return Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ["X", "0"]


def _parent(number: int) -> int:
    return int(_about(number)[1])


def _stopped(number: int) -> bool:
    return _about(number)[0] in "TtZX"
