"""What does the kernel say of the processes of a jail? Asked from outside, by number; who is gone has said nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_STATE, _PARENT, _USER, _SYSTEM = 0, 1, 11, 12  # fields of /proc/N/stat after the name (proc_pid_stat(5))


def children(number: int) -> Iterator[int]:
    """The processes that any thread of this one started."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{number}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


def members(first: int) -> Iterator[tuple[int, int]]:
    """A process and all below it, each with its parent (0: that of the first)."""
    waiting = [(first, 0)]
    seen = set()
    while waiting:
        number, parent = waiting.pop()
        if number not in seen:
            seen.add(number)
            yield number, parent
            waiting += [(child, number) for child in children(number)]


def parent(number: int) -> int:
    """Its parent; 0 when it is gone."""
    return int(_about(number)[_PARENT])


def is_stopped(number: int) -> bool:
    """True when it stands still, or is dead."""
    return _about(number)[_STATE] in "TtZX"


def processor_seconds(first: int) -> float:
    """Processor time that a process and those below it, all threads, have used so far; in hundredths of a second."""
    about = (_about(number) for number, _ in members(first))
    return sum(int(fields[_USER]) + int(fields[_SYSTEM]) for fields in about) / _TICKS


def _about(number: int) -> list[str]:
    """State, parent, … as the kernel tells them; the name before them may hold anything."""
    try:
        return Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ["X", *["0"] * _SYSTEM]
