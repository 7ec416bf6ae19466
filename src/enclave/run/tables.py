"""The tables of runs, their declared outputs and decisions on their code (migrations state/0005, 0011, 0012, 0015, 0016)."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from enclave.store import STATE

runs = Table(
    "runs",
    STATE,
    Column("run", String(32), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("grant_id", String(64), nullable=False),
    Column("member", String(64), nullable=False, index=True),
    Column("dataset", String(64), nullable=False),
    Column("dataset_version", Integer, nullable=False),
    Column("lane", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("notebook", LargeBinary, nullable=False),
    Column("notebook_sha256", String(64), nullable=False),
    Column("code", String(64), nullable=False, server_default=""),
    Column("parameters", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("why", String(64), nullable=False),
    Column("error", Text, nullable=False),
    Column("stage", String(32), nullable=False),
    Column("cells_done", Integer, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("worker", String(64), nullable=True),
    Column("leased_until", String(32), nullable=True),
    Column("environment", String(64), nullable=False),
    Column("executed", LargeBinary, nullable=True),
    Column("questions", Integer, nullable=False),
    Column("submitted_at", String(32), nullable=False),
    Column("started_at", String(32), nullable=True),
    Column("ended_at", String(32), nullable=True),
    Column("batch", String(32), nullable=True),
    Column("step", String(64), nullable=False, server_default=""),
    Column("occurrence", Integer, nullable=False, server_default="0"),
    Column("rho_cap", BigInteger, nullable=True),
    Column("epsilon_cap", BigInteger, nullable=False, server_default="0"),
)
Index(
    "state_of_run", runs.c.run, runs.c.state
)  # read without the row, whose notebook may be large: `run.follow` asks often
Index("one_run_per_step", runs.c.batch, runs.c.occurrence, runs.c.step, unique=True)

run_follows = Table(
    "run_follows",
    STATE,
    Column("run", String(32), ForeignKey("runs.run"), primary_key=True),
    Column("follows", String(32), ForeignKey("runs.run"), primary_key=True, index=True),
)

run_outputs = Table(
    "run_outputs",
    STATE,
    Column("output", String(32), primary_key=True),
    Column("run", String(32), ForeignKey("runs.run"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("bundle", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("run", "ordinal", name="one_output_per_ordinal"),
)

code_reviews = Table(
    "code_reviews",
    STATE,
    Column("run", String(32), ForeignKey("runs.run"), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("dataset", String(64), nullable=False),
    Column("name", String(128), nullable=False),
    Column("code", String(64), nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("member", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("allowed_by", String(64), nullable=False),
    Column("at", String(32), nullable=False),
)
