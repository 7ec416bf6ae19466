"""What was bought of extracts, beside their dictionaries."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("name", sa.String(48), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("bought_at", sa.String(32), nullable=False),
        sa.Column("bought_by", sa.String(128), nullable=False),
    )
