"""A plan and its runs may be held to pure ε instead of ρ."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    op.add_column("batches", sa.Column("nano_epsilon", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("epsilon_cap", sa.BigInteger, nullable=False, server_default="0"))
