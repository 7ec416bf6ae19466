"""The table of events (migration state/0001)."""

from sqlalchemy import Column, Integer, String, Table, Text

from enclave.store import STATE

# No foreign keys: the trace never interferes with what it records.
events = Table(
    "events",
    STATE,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
