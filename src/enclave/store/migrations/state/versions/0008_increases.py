"""Requests for more budget."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    op.create_table(
        "increases",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("project", sa.String(32), sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("author", sa.String(32), sa.ForeignKey("members.id"), nullable=False),
        sa.Column("epsilon_project", sa.String(16), nullable=False),
        sa.Column("epsilon_researcher", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(32), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
