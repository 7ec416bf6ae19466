"""A run has a priority among those of its project."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.add_column("runs", sa.Column("priority", sa.Integer, nullable=False, server_default="0"))
