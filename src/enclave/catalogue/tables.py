"""The tables of extracts (migration state/0003), of what was bought of them (0010), of choices and bars (0013)."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from enclave.store import STATE

extracts = Table(
    "extracts",
    STATE,
    Column("name", String(48), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("norm_digest", String(64), nullable=False),
    Column("file_digest", String(64), nullable=False),
    Column("dictionary", Text, nullable=False),
    Column("shelved_at", String(32), nullable=False),
    Column("shelved_by", String(128), nullable=False),
)

profiles = Table(
    "profiles",
    STATE,
    Column("name", String(48), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("profile", Text, nullable=False),
    Column("bought_at", String(32), nullable=False),
    Column("bought_by", String(128), nullable=False),
)

choices = Table(
    "choices",
    STATE,
    Column("register", String(48), primary_key=True),
    Column("domain", String(48), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("since", String(32), nullable=False),
)

bars = Table(
    "bars",
    STATE,
    Column("name", String(48), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("since", String(32), nullable=False),
)
