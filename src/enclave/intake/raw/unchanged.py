"""Is a raw table the very file it was? By its SHA-256, and by a stamp taken before it is read and looked at afterwards."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enclave.intake.raw import files
from enclave.intake.raw.source import Folder, Source
from enclave.intake.resource import Resource

Stamp = tuple[int, int, int]

_PART = 1 << 20


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


def digest_of(path: Path, given_up: threading.Event | None = None) -> str:
    """The SHA-256 of a file; CancelledError once nobody wants it any more."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART):
            if given_up is not None and given_up.is_set():
                raise CancelledError
            digest.update(part)
    return digest.hexdigest()


@contextmanager
def seen(source: Source, tables: Sequence[Resource]) -> Iterator[dict[str, Seen]]:
    """The files of raw tables, by name; none for a database, whose tables have none of their own.

    Stamps are taken at once; digests one after another beside what goes on inside, and given up at its end: who is refused
    does not wait for a hundred gigabytes to be hashed.
    """
    paths = {t.name: files.find(source.path, t) for t in tables} if isinstance(source, Folder) else {}
    given_up, pool = threading.Event(), ThreadPoolExecutor(1, "digests")
    try:
        yield {name: Seen(path, _stamp(path), pool.submit(digest_of, path, given_up)) for name, path in paths.items()}
    finally:
        given_up.set()
        pool.shutdown(cancel_futures=True)
