"""The tables of requests, what was signed about them, projects and grants (migration state/0004)."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from enclave.store import STATE

requests = Table(
    "requests",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("author", String(32), ForeignKey("members.id"), nullable=False),
    Column("state", String(32), nullable=False),
    Column("round", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
)

# Position 0 is the author's submission, 1 and on are the steps of the round.
request_statements = Table(
    "request_statements",
    STATE,
    Column("request", String(32), ForeignKey("requests.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("step", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("member", String(32), nullable=False),
    Column("at", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

projects = Table(
    "projects",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("request", String(32), ForeignKey("requests.id"), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("opened_at", String(32), nullable=False),
)

# An index for "my projects"; who really belongs stands in the signed content of the request.
project_members = Table(
    "project_members",
    STATE,
    Column("project", String(32), ForeignKey("projects.id"), primary_key=True),
    Column("member", String(32), primary_key=True),
)

grants = Table(
    "grants",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("request", String(32), ForeignKey("requests.id"), nullable=False, unique=True),
    Column("project", String(32), ForeignKey("projects.id"), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("changed_at", String(32), nullable=False),
    Column("changed_by", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("signature", String(128), nullable=False),
)

increases = Table(
    "increases",
    STATE,
    Column("id", String(32), primary_key=True),
    Column("project", String(32), ForeignKey("projects.id"), nullable=False),
    Column("author", String(32), ForeignKey("members.id"), nullable=False),
    Column("epsilon_project", String(16), nullable=False),
    Column("epsilon_researcher", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked_at", String(32), nullable=False),
    Column("decided_at", String(32), nullable=False),
    Column("decided_by", String(32), nullable=False),
    Column("answer", Text, nullable=False),
)
