"""How is ledger.db opened, and by whom?

One process writes it (the broker), held by a lock file that the kernel drops when the process ends, however it ends.
Everybody else reads through a connection that cannot write.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.exc import DatabaseError

from enclave.errors import NotFound, Refused, Tampered
from enclave.store.database import connect, migrate


def hold(path: Path) -> int:
    """The lock of the one writer, as a descriptor to keep open; Refused while another process has it."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as held:
        os.close(descriptor)
        raise Refused("budget.ledger_held", file=path.name) from held
    return descriptor


def to_write(path: Path) -> sqlite3.Connection:
    """The writing connection, tables at their newest shape: a commit is on the disk when it returns."""
    engine = connect(f"sqlite:///{path}")
    try:
        migrate(engine, "ledger")
    except DatabaseError as broken:
        if type(broken.orig) is not sqlite3.DatabaseError:  # a subclass says disk full, locked, …: not damage
            raise
        raise Tampered("budget.damaged", file=path.name) from broken
    finally:
        engine.dispose()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)  # the committer's, after opening
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextlib.contextmanager
def to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """One snapshot of the ledger that cannot be written through."""
    if not path.exists():
        raise NotFound("budget.no_ledger", file=path.name)
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("BEGIN")
        yield connection
    except sqlite3.DatabaseError as broken:
        if type(broken) is not sqlite3.DatabaseError:
            raise
        raise Tampered("budget.damaged", file=path.name) from broken
    finally:
        connection.close()
