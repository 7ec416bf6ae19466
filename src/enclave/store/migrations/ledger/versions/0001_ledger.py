"""The ledger: its entries, what follows from them, stored answers, signed checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(520), primary_key=True),
        sa.Column("cap_rho", sa.BigInteger, nullable=False),
        sa.Column("cap_delta", sa.BigInteger, nullable=False),
        sa.Column("spent_rho", sa.BigInteger, nullable=False),
        sa.Column("spent_delta", sa.BigInteger, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False),
        sa.Column("frozen_at", sa.Integer, nullable=False),
        sa.Column("incidents", sa.Integer, nullable=False),
        sa.CheckConstraint("0 <= spent_rho AND spent_rho <= cap_rho", name="rho_within_cap"),
        sa.CheckConstraint("0 <= spent_delta AND spent_delta <= cap_delta", name="delta_within_cap"),
    )
    op.create_table(
        "reservations",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("ended", sa.Integer, nullable=True),
    )
    op.create_table(
        "answers",
        sa.Column("reservation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("project", sa.String(256), nullable=False),
        sa.Column("settled", sa.Integer, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
    )
    op.create_index("answers_by_key", "answers", ["key"])
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("state_seq", sa.Integer, nullable=False),
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("ledger_seq", sa.Integer, nullable=False),
        sa.Column("ledger_hash", sa.String(64), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
