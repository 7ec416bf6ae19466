"""The table of batches (migration state/0012). A batch's runs carry its name (`run.tables`)."""

from sqlalchemy import BigInteger, Column, String, Table, Text, UniqueConstraint

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
    UniqueConstraint("project", "digest", name="one_batch_per_plan"),
)
