"""Answers to one question at different prices are found by their topic."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("answers", sa.Column("topic", sa.String(64), nullable=False, server_default=""))
    op.create_index("answers_by_topic", "answers", ["topic"])
