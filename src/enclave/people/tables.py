"""The tables of members, their tokens and their certified keys (migration state/0002)."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from enclave.store import STATE

members = Table(
    "members",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(32), nullable=False),
    Column("created_by", String(32), nullable=False),
)

# What a member is called and may be stands only in certificates, which the home signs: a row changed here shows.
certificates = Table(
    "certificates",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("member", String(32), ForeignKey("members.id"), nullable=False),
    Column("real_name", String(64), nullable=False),
    Column("roles", Text, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("starts_at", String(32), nullable=False),
    Column("ends_at", String(32), nullable=False),
    Column("signature", String(128), nullable=False),
    Index("certificates_by_member", "member"),
)

tokens = Table(
    "tokens",
    STATE,
    Column("hash", String(64), primary_key=True),
    Column("member", String(32), ForeignKey("members.id"), nullable=False),
    Column("certificate", String(32), ForeignKey("certificates.id"), nullable=False),
    Column("sealed_key", Text, nullable=False),
    Column("issued_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    Index("tokens_by_member", "member"),
)
