"""Plans that recur: when each is due next."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("batch", sa.String(32), sa.ForeignKey("batches.batch"), primary_key=True),
        sa.Column("cron", sa.String(128), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.Column("times", sa.Integer, nullable=True),
        sa.Column("due_at", sa.String(32), nullable=True),
        sa.Column("fired", sa.Integer, nullable=False),
        sa.Column("passed_over", sa.Integer, nullable=False),
        sa.Column("why", sa.String(64), nullable=False),
    )
    op.create_index("ix_schedules_due_at", "schedules", ["due_at"])
