"""The tables of batches, and of when they recur (migrations state/0012, 0014, 0016). Runs name theirs (`run.tables`)."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from enclave.store import STATE

batches = Table(
    "batches",
    STATE,
    Column("batch", String(32), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("project", String(64), nullable=False),
    Column("member", String(64), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("form", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rho", BigInteger, nullable=False),
    Column("submitted_at", String(32), nullable=False),
    Column("ended_at", String(32), nullable=True),
    Column("nano_epsilon", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("project", "digest", name="one_batch_per_plan"),
)

schedules = Table(
    "schedules",
    STATE,
    Column("batch", String(32), ForeignKey("batches.batch"), primary_key=True),
    Column("cron", String(128), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("ends_at", String(32), nullable=False),
    Column("times", Integer, nullable=True),
    Column("due_at", String(32), nullable=True, index=True),
    Column("fired", Integer, nullable=False),
    Column("passed_over", Integer, nullable=False),
    Column("why", String(64), nullable=False),
)
