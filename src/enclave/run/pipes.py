"""Which open files does a jail get, and which ends do we keep?

Both ends of every pipe of one jail, the two system call filters, and the broker channel's end that crosses. Nothing else of
ours is open behind the wall.
"""

from __future__ import annotations

import os
import socket

from enclave.run.wall import Descriptors, Wall


class Pipes:
    """Both ends of every pipe. Each is closed once: a number closed twice may by then be another thread's."""

    def __init__(self, wall: Wall, channel: socket.socket | None) -> None:
        self._open: set[int] = set()
        crossing: dict[str, int] = {}
        self.ours: dict[str, int] = {}
        for name, inside in (("job", 0), ("frames", 1), ("watchdog", 0), ("info", 1), ("go", 0), ("said", 1)):
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
