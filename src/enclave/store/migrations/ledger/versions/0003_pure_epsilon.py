"""Accounts may be counted in pure ε instead of ρ and δ."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # made anew: SQLite adds no CHECK to a table that stands
    op.create_table(
        "accounts_anew",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(520), primary_key=True),
        sa.Column("cap_rho", sa.BigInteger, nullable=False),
        sa.Column("cap_delta", sa.BigInteger, nullable=False),
        sa.Column("cap_epsilon", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("spent_rho", sa.BigInteger, nullable=False),
        sa.Column("spent_delta", sa.BigInteger, nullable=False),
        sa.Column("spent_epsilon", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("frozen_at", sa.Integer, nullable=False),
        sa.Column("incidents", sa.Integer, nullable=False),
        sa.CheckConstraint("0 <= spent_rho AND spent_rho <= cap_rho", name="rho_within_cap"),
        sa.CheckConstraint("0 <= spent_delta AND spent_delta <= cap_delta", name="delta_within_cap"),
        sa.CheckConstraint("0 <= spent_epsilon AND spent_epsilon <= cap_epsilon", name="epsilon_within_cap"),
        sa.CheckConstraint("cap_epsilon = 0 OR (cap_rho = 0 AND cap_delta = 0)", name="one_measure"),
    )
    kept = "kind, name, cap_rho, cap_delta, spent_rho, spent_delta, opened, frozen_at, incidents"
    op.execute(f"INSERT INTO accounts_anew ({kept}) SELECT {kept} FROM accounts")
    op.drop_table("accounts")
    op.rename_table("accounts_anew", "accounts")
