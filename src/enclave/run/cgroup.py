"""Who counts what all processes of a jail use together?

Where this machine has cgroups of version 2 and lets us make one, each jail has its own: it counts memory with scratch
space, and processes, kills the whole jail at its limit, and can kill whatever is in it at once. Where not, the rlimits of
`sandbox/runner.py` hold for each of the two processes, and scratch space has its own cap. `enclave selfcheck` says which.

The kernel lets only folders without processes have children that count, so ours is made beside the folder we are in
(systemd: `Delegate=cpu memory pids` and `DelegateSubgroup=self`), or in the root. Process 1 is moved before it executes
anything (`run.started`): nothing of a jail is ever outside. Names as in the kernel's Documentation/admin-guide/cgroup-v2.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from enclave.errors import NoWall
from enclave.run.limits import MIB, Limits

_CONTROLLERS = ("memory", "pids")
_WELCOME = "cpu"  # shares the processor between jails (`run.share`); sessions do where it is not there
_NAME = "domicile-"
_PATIENCE = 2.0
"""Seconds a folder whose processes were killed gets until the kernel lets go of it."""


def caps_of(limits: Limits) -> dict[str, str]:
    """What is written into the folder of a jail with these limits: file → text."""
    return {
        "memory.max": str(limits.jail_mib * MIB),
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(limits.processes + 1),
    }


@dataclass(frozen=True)
class Cage:
    """The folder of one jail."""

    folder: Path

    def take(self, process: int) -> None:
        """Put a process in, with all it will ever start; OSError when the kernel does not."""
        (self.folder / "cgroup.procs").write_text(str(process))

    def weigh(self, nice: int) -> bool:
        """Give its processes the share of this niceness beside other folders; False where shares are not given here."""
        weight = self.folder / "cpu.weight.nice"
        with contextlib.suppress(OSError):
            if weight.exists():
                weight.write_text(str(nice))
                return True
        return False

    def ran_out(self) -> bool:
        """True when the kernel killed in it because memory was used up."""
        with contextlib.suppress(OSError, ValueError):
            events = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
            return int(events.get("oom_kill", "0")) > 0
        return False

    def end(self) -> None:
        """Kill whatever is in it, and remove it."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        give_up = time.monotonic() + _PATIENCE
        while self.folder.exists() and time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.002)


@dataclass(frozen=True)
class Cages:
    """The folder in which each jail gets one of its own."""

    folder: Path

    @classmethod
    def find(cls, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Self | None:
        """Where this process may make folders that count; None where it may not."""
        for place in _candidates(root, own):
            offered = (*_CONTROLLERS, _WELCOME), _CONTROLLERS
            if os.access(place, os.W_OK) and any(_enabled(place, wanted) for wanted in offered):
                cages = cls(place)
                cages.clear()
                return cages
        return None

    @property
    def shares(self) -> bool:
        """True where the folder of each jail has a share of the processor."""
        return _WELCOME in _words(self.folder / "cgroup.subtree_control")

    def make(self, caps: Mapping[str, str]) -> Cage:
        """A folder for one jail; NoWall when it cannot be made whole."""
        cage = Cage(self.folder / f"{_NAME}{os.getpid()}-{secrets.token_hex(4)}")
        try:
            cage.folder.mkdir()
            for name, text in caps.items():
                if name != "memory.swap.max" or (cage.folder / name).exists():  # a kernel without swap has none
                    (cage.folder / name).write_text(text)
        except OSError as refused:
            cage.end()
            raise NoWall("run.no_cgroup", folder=self.folder, said=refused.strerror or "-") from refused
        return cage

    def clear(self) -> None:
        """Remove what a worker that was killed left empty."""
        for left in self.folder.glob(f"{_NAME}*"):
            with contextlib.suppress(OSError):
                left.rmdir()


def _enabled(place: Path, wanted: tuple[str, ...]) -> bool:
    """Have folders in `place` count these; False when the kernel does not let us."""
    if set(wanted) <= set(_words(place / "cgroup.subtree_control")):
        return True
    if not set(wanted) <= set(_words(place / "cgroup.controllers")):
        return False
    with contextlib.suppress(OSError):
        (place / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in wanted))
        return True
    return False


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _candidates(root: Path, own: Path) -> Iterator[Path]:
    """Beside the folder we are in, else in it where that is the root."""
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            if line.startswith("0::/"):
                inner = line.removeprefix("0::/")
                yield (root / inner).parent if inner else root
