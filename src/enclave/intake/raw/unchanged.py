"""Is a raw table the very file it was? By its SHA-256, taken before it is read and sure of it afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from enclave.intake.package import Resource
from enclave.intake.raw import files
from enclave.intake.raw.source import Folder, Source


@dataclass(frozen=True)
class Seen:
    """A file as it was found."""

    path: Path
    digest: str
    stamp: tuple[int, int, int]

    def holds(self) -> bool:
        """Whether it still is that file; what was written to while it was read is known by no digest."""
        return _stamp(self.path) == self.stamp


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def seen(source: Source, table: Resource) -> Seen | None:
    """The file of a raw table; None for a database, whose tables have none of their own."""
    if not isinstance(source, Folder):
        return None
    path = files.find(source.path, table)
    stamp = _stamp(path)
    with path.open("rb") as file:
        return Seen(path, hashlib.file_digest(file, "sha256").hexdigest(), stamp)
