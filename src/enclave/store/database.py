"""How is a database opened, read and written?

Two databases, one metadata each: STATE (requests, runs, outputs, their events) and LEDGER (accounts, reservations;
SQLite, written by the broker alone). SQLite runs in WAL mode with full sync, and a writing transaction takes the lock at
its first word (BEGIN IMMEDIATE), so two writers queue instead of failing half-way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import OperationalError, ProgrammingError

from enclave.store.place import Place

STATE = MetaData()
LEDGER = MetaData()

_MIGRATIONS = Path(__file__).parent / "migrations"


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: `on_begin` does
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            _bare(connection).execute("BEGIN")


def _bare(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, for words that cannot fail: through SQLAlchemy they take longer than a small SELECT."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def connect(url: str) -> Engine:
    """An engine for `url`; SQLite with the pragmas above."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def migrate(engine: Engine, which: str) -> None:
    """Bring the database to the newest revision of `which` ("state" or "ledger")."""
    if _revision(engine) == _newest(which):
        return
    from alembic import command  # longer to import than most commands take, and to look at a home needs none of it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", f"enclave.store:migrations/{which}")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: Engine) -> str | None:
    """At which revision a database is; None of one that is none yet."""
    with engine.connect() as connection:
        try:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        except (OperationalError, ProgrammingError):  # no such table, or what will be met again when it is migrated
            return None
    return found[0] if len(found) == 1 else None


@cache
def _newest(which: str) -> str:
    """Revisions form one line and are named by their numbers."""
    return max(file.name for file in (_MIGRATIONS / which / "versions").glob("[0-9]*.py")).split("_")[0]


def open_state(place: Place) -> Engine:
    """The state database of a home, at its newest shape."""
    engine = connect(place.state)
    migrate(engine, "state")
    return engine


def open_ledger(place: Place) -> Engine:
    """The ledger database of a home, at its newest shape."""
    engine = connect(f"sqlite:///{place.ledger}")
    migrate(engine, "ledger")
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A snapshot to read from; on SQLite a write through it is an error."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _bare(connection).execute("PRAGMA query_only=ON")
        try:
            yield connection
        finally:
            connection.rollback()
            if engine.dialect.name == "sqlite":
                _bare(connection).execute("PRAGMA query_only=OFF")


@contextmanager
def writing(engine: Engine, **options: Any) -> Iterator[Connection]:
    """A transaction that commits whole or not at all. For `enclave.audit` alone: everyone else records an event."""
    with engine.connect().execution_options(writes=True, **options) as connection, connection.begin():
        yield connection
