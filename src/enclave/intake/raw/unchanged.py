"""Is a raw table the very file it was? By its SHA-256, and by a stamp taken before it is read and looked at afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from enclave.intake.package import Resource
from enclave.intake.raw import files
from enclave.intake.raw.source import Folder, Source

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Seen:
    """A file as it was found."""

    path: Path
    stamp: Stamp
    hashed: Future[str]

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, waited for."""
        return self.hashed.result()

    def holds(self) -> bool:
        """Whether it still is that file; what was written to while it was read is known by no digest."""
        return _stamp(self.path) == self.stamp


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seen(source: Source, tables: Sequence[Resource]) -> dict[str, Seen]:
    """The files of raw tables, by name; none for a database, whose tables have none of their own.

    Stamps are taken here; digests one after another, beside whatever goes on.
    """
    if not isinstance(source, Folder):
        return {}
    pool = ThreadPoolExecutor(1, "digests")
    paths = {table.name: files.find(source.path, table) for table in tables}
    found = {name: Seen(path, _stamp(path), pool.submit(digest_of, path)) for name, path in paths.items()}
    pool.shutdown(wait=False)
    return found
