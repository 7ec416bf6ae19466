"""Where is a version made before it stands on the shelf?

In a folder of its own beside the versions, which is renamed whole or removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enclave.errors import Refused
from enclave.store import Place


def sync(folder: Path) -> None:
    """What was renamed into a folder stays there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def drafted(place: Place, name: str) -> Iterator[Path]:
    """A folder of one's own beside the versions of `name`; one build at a time, and what a crashed one left is removed."""
    shelf = place.extracts / name
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (shelf / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("catalogue.busy", dataset=name) from None
        for left in shelf.glob(".draft-*"):
            shutil.rmtree(left)
        draft = shelf / f".draft-{secrets.token_hex(4)}"
        draft.mkdir(mode=0o700)
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def disk_full_named(folder: Path) -> Iterator[None]:
    """A full disk is the operator's to mend, whoever met it first: the engine, or we."""
    try:
        yield
    except OSError as failed:
        if failed.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Refused("intake.disk_full", place=str(folder)) from None
