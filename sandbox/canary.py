"""What can a notebook behind the wall do that it must not?

Each probe tries one thing and returns when it worked; an exception means that the wall held. They stand in `probes/`, by
subject; `row` is the row of `probes.toml` that a probe belongs to. The very same code is run outside as a control, by the
jail's own user; where a thing is root's alone, by root in namespaces of its own; where it would change the machine or needs
what few machines have, by root on a machine made for it. A probe that something stops *there* proves nothing here, so it
must work for `control`. `run` is told what was planted outside: files, a listener, sockets, a process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

sys.modules["sandbox.canary"] = sys.modules[__name__]  # where it is a cell of a notebook, the probes still find it

Planted = dict[str, Any]
Attempt = Callable[[Planted], object]
USER, ROOT, MADE, NOBODY = "user", "root", "made", ""
"""Who can do it outside. Made: root, on a machine of some empty files and folders that ends with the process. Nobody: the
attempt would have the kernel load a driver, or there is nothing to gain anywhere."""


@dataclass(frozen=True)
class Probe:
    """One thing to try. `open_because` is the reason why it works behind the wall too, by design."""

    row: int
    attempt: Attempt
    control: str = NOBODY
    open_because: str = ""


PROBES: dict[str, Probe] = {}
NUMBERS: dict[str, int] = {}
"""System call → number on this machine; filled before `run`."""
NOWHERE = 1
"""An address nothing is at: a call that is let through fails on it instead of doing something."""
NOBODYS = 0x7FFFFFFE
"""A process number that is never given."""
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Held(Exception):
    """The wall held, told by a value rather than by an error."""


def probe(row: int, control: str = NOBODY, open_because: str = "") -> Callable[[Attempt], None]:
    """The function below is a probe."""

    def keep(function: Attempt) -> None:
        add(function.__name__, row, function, control, open_because)

    return keep


def add(name: str, row: int, attempt: Attempt, control: str = NOBODY, open_because: str = "") -> None:
    """One more probe; names are unique."""
    if name in PROBES and PROBES[name].row != row:
        raise ValueError(f"two probes are called {name}")
    PROBES[name] = Probe(row, attempt, control, open_because)


def call(name: str, *arguments: Any) -> int:
    """A system call; OSError as Python's own, ENOSYS where this machine has none of that name."""
    if name not in NUMBERS:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(libc.syscall(NUMBERS[name], *words))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reach(name: str, arguments: tuple[Any, ...], _: Planted) -> None:
    """Return when a system call got as far as looking at its arguments, which are such that it does nothing."""
    try:
        call(name, *arguments)
    except OSError as refused:
        if refused.errno in (errno.EPERM, errno.ENOSYS):
            raise


def reaches(row: int, control: str, **calls: tuple[Any, ...]) -> None:
    """One probe for each system call: is it let through to the kernel?"""
    for name, arguments in calls.items():
        add(f"call {name}", row, partial(reach, name, arguments), control)


def only_if(condition: object) -> None:
    if not condition:
        raise Held


def tried(one: Probe, planted: Planted) -> str:
    """What came of a probe: "open", "by design", or what stopped it. Running out of descriptors is no wall."""
    try:
        one.attempt(planted)
    except OSError as stopped:
        word = "untried" if stopped.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM) else "held"
        return f"{word}: {type(stopped).__name__} {stopped.errno or ''}".strip()
    except Exception as stopped:  # noqa: BLE001  whatever stopped it, it was stopped
        return f"held: {type(stopped).__name__}"
    return "by design" if one.open_because else "open"


def run(planted: Planted, control: str | None = None) -> dict[str, str]:
    """What came of every probe, or of those that work for `control` outside. In order: the last change who one is."""
    return {n: tried(p, planted) for n, p in PROBES.items() if control in (None, p.control)}
