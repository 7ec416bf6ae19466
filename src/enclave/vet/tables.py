"""The tables of outputs and of the decisions on them (migration state/0006)."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from enclave.store import STATE

outputs = Table(
    "outputs",
    STATE,
    Column("id", String(64), primary_key=True),
    Column("run", String(64), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("project", String(64), nullable=False),
    Column("members", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("rules_digest", String(64), nullable=False),
    # What was vetted is what is released, byte for byte: the jail's own copy may be cleared.
    Column("bundle", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("taken_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
    UniqueConstraint("run", "ordinal", name="outputs_run_ordinal"),
)

decisions = Table(
    "output_decisions",
    STATE,
    Column("output", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("member", String(128), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("allowed_by", String(128), nullable=False),
    Column("at", String(32), nullable=False),
)
