"""Persons choose to be left out, and versions built before may be granted to nobody new."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    op.create_table(
        "choices",
        sa.Column("register", sa.String(48), primary_key=True),
        sa.Column("domain", sa.String(48), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
    op.create_table(
        "bars",
        sa.Column("name", sa.String(48), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
