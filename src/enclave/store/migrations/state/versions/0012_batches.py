"""Plans of runs: which belong together, what each follows, what it may spend."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("member", sa.String(64), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rho", sa.BigInteger, nullable=False),
        sa.Column("submitted_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32), nullable=True),
        sa.UniqueConstraint("project", "digest", name="one_batch_per_plan"),
    )
    op.add_column("runs", sa.Column("batch", sa.String(32), nullable=True))
    op.add_column("runs", sa.Column("step", sa.String(64), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("occurrence", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("rho_cap", sa.BigInteger, nullable=True))
    op.create_index("one_run_per_step", "runs", ["batch", "occurrence", "step"], unique=True)
    op.create_table(
        "run_follows",
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.run"), primary_key=True),
        sa.Column("follows", sa.String(32), sa.ForeignKey("runs.run"), primary_key=True),
    )
    op.create_index("ix_run_follows_follows", "run_follows", ["follows"])
