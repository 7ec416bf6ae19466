"""The tables of ledger.db (migration ledger/0001).

`entries` is the ledger; `accounts` and `reservations` are what follows from it, kept so that others can read without
walking the chain, and compared with the chain at every start. The CHECKs are a last wall: not even a bug may write a
balance above its cap.
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from enclave.store import LEDGER

entries = Table(
    "entries",
    LEDGER,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

accounts = Table(
    "accounts",
    LEDGER,
    Column("kind", String(16), primary_key=True),
    Column("name", String(520), primary_key=True),
    Column("cap_rho", BigInteger, nullable=False),
    Column("cap_delta", BigInteger, nullable=False),
    Column("cap_epsilon", BigInteger, nullable=False, server_default="0"),
    Column("spent_rho", BigInteger, nullable=False),
    Column("spent_delta", BigInteger, nullable=False),
    Column("spent_epsilon", BigInteger, nullable=False, server_default="0"),
    Column("opened", Integer, nullable=False),
    Column("frozen_at", Integer, nullable=False),
    Column("incidents", Integer, nullable=False),
    CheckConstraint("0 <= spent_rho AND spent_rho <= cap_rho", name="rho_within_cap"),
    CheckConstraint("0 <= spent_delta AND spent_delta <= cap_delta", name="delta_within_cap"),
    CheckConstraint("0 <= spent_epsilon AND spent_epsilon <= cap_epsilon", name="epsilon_within_cap"),
    CheckConstraint("cap_epsilon = 0 OR (cap_rho = 0 AND cap_delta = 0)", name="one_measure"),
)

reservations = Table(
    "reservations",
    LEDGER,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("ended", Integer, nullable=True),
)

answers = Table(
    "answers",
    LEDGER,
    Column("reservation", Integer, primary_key=True, autoincrement=False),
    Column("key", String(128), nullable=False),
    Column("project", String(256), nullable=False),
    Column("settled", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("topic", String(64), nullable=False, server_default=""),
    Index("answers_by_key", "key"),
    Index("answers_by_topic", "topic"),
)

checkpoints = Table(
    "checkpoints",
    LEDGER,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("state_seq", Integer, nullable=False),
    Column("state_hash", String(64), nullable=False),
    Column("ledger_seq", Integer, nullable=False),
    Column("ledger_hash", String(64), nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)
