"""The table of what left (migration state/0007)."""

from sqlalchemy import Column, String, Table, Text

from enclave.store import STATE

releases = Table(
    "releases",
    STATE,
    Column("id", String(64), primary_key=True),
    Column("run", String(64), nullable=False, index=True),
    Column("owner", String(128), nullable=False),
    Column("project", String(64), nullable=False),
    Column("members", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("receipt_sha256", String(64), nullable=False),
    Column("sent_at", String(32), nullable=False),
)
