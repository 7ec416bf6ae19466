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
    connection = _open_to_read(path)
    try:
        with _snapshot(connection, path):
            yield connection
    finally:
        connection.close()


class Readers:
    """Snapshots for the process of the writer, through connections that are kept: to open one, and read the tables' shapes
    through it, takes ten times as long as what a question looks for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """As `to_read`; a connection serves one caller at a time."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _open_to_read(self._path)
        with contextlib.ExitStack() as failed:
            failed.callback(connection.close)
            with _snapshot(connection, self._path):
                yield connection
            failed.pop_all()
        self._idle.append(connection)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close what is idle now, and what is in use as soon as it is idle."""
        self._closed = True
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()


def _open_to_read(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise NotFound("budget.no_ledger", file=path.name)
    address = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)  # one after another
    connection.execute("PRAGMA busy_timeout=30000")
    return connection


@contextlib.contextmanager
def _snapshot(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    try:
        connection.execute("BEGIN")
        yield
        connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as broken:
        if type(broken) is not sqlite3.DatabaseError:
            raise
        raise Tampered("budget.damaged", file=path.name) from broken
