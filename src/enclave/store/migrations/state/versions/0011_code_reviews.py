"""Runs know their code, and people decide on it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    op.add_column("runs", sa.Column("code", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "code_reviews",
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.run"), primary_key=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("member", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("allowed_by", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_code_reviews_project", "code_reviews", ["project"])
    op.create_index("ix_code_reviews_code", "code_reviews", ["code"])
