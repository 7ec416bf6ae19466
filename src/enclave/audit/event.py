"""What is an event, and how does a change get its connection?

Kinds are declared beside the change they record: `APPROVED = declare("request.approved", "a step approved a request")`.
An undeclared kind cannot be recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Executable, insert, select

from enclave.audit.chain import Head, canonical, head_of, link
from enclave.audit.tables import events
from enclave.store import writing

KINDS: dict[str, str] = {}


def declare(kind: str, meaning: str) -> str:
    """Make `kind` recordable; declared once, beside the change it records."""
    if kind in KINDS:
        raise ValueError(f"event kind {kind} is declared twice")
    KINDS[kind] = meaning
    return kind


def now() -> str:
    """The instant in UTC, to the microsecond, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Event:
    """Who (`actor`) did what (`kind`) to which thing (`subject`), with which facts. `detail` holds no data value."""

    kind: str
    actor: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"event kind {self.kind} was never declared")
        canonical(self.detail)


class Transaction:
    """A writable connection that exists because an event does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement inside the transaction."""
        result = self._connection.execute(statement, parameters)
        assert isinstance(result, CursorResult)
        return result

    def also(self, event: Event) -> Head:
        """Record one more event in the same transaction."""
        newest = self._connection.execute(
            select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
        ).first()
        seq, previous = head_of((newest.seq, newest.hash) if newest else None)
        body = {"at": now(), "kind": event.kind, "actor": event.actor, "subject": event.subject, "detail": event.detail}
        digest = link(previous, body)
        row = {**body, "detail": canonical(event.detail).decode(), "seq": seq + 1, "previous": previous, "hash": digest}
        self._connection.execute(insert(events), row)
        return Head(seq + 1, digest)


@contextmanager
def record(db: Engine, event: Event) -> Iterator[Transaction]:
    """Open a transaction with `event` as its first word; what is executed in it commits with the event, or not at all.

    An exception inside rolls back both. The event goes in first so that the chain's lock is taken before any read.
    """
    with writing(db) as connection:
        if db.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
        transaction = Transaction(connection)
        transaction.also(event)
        yield transaction


def body_of(row: Any) -> dict[str, Any]:
    """The chained body of a stored event row."""
    detail = json.loads(row.detail)
    return {"at": row.at, "kind": row.kind, "actor": row.actor, "subject": row.subject, "detail": detail}
