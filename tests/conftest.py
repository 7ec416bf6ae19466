"""What tests of every kind share: a home with one member (or two) of each role, reached through the real verbs.

Making a home takes a moment, so one is made per session and each test gets a copy of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from enclave import access, people
from enclave.access import AccessPolicy, Asked, Request
from enclave.audit.event import body_of
from enclave.audit.tables import events
from enclave.catalogue.dataset import Column, Dataset, Kind, Table
from enclave.people import Member, Permissions
from enclave.store import Keyring, Place, open_state, reading
from enclave.store.database import connect

POLICIES = Path(__file__).parents[1] / "policies"

ROLES_OF = {
    "steward": ["steward"],
    "steward2": ["steward"],
    "officer": ["officer"],
    "officer2": ["officer"],
    "researcher": ["researcher"],
    "researcher2": ["researcher"],
    "checker": ["checker"],
    "auditor": ["auditor"],
    "both": ["steward", "officer"],  # a small hospital: one person with both approving roles
    "everything": ["steward", "officer", "researcher"],
}
"""Login name → roles. `operator` is there from the start."""


@dataclass(frozen=True)
class Cast:
    """A home and its people, each with the token they were given."""

    place: Place
    keyring: Keyring
    db: Engine
    permissions: Permissions
    policy: AccessPolicy
    tokens: dict[str, str]

    def member(self, name: str) -> Member:
        return people.authenticate(self.db, self.keyring, self.tokens[name])

    def dataset(self, **changes: Any) -> Dataset:
        columns = (Column("dept", Kind.CODE, codes=("a", "b")), Column("los_days", Kind.INTEGER, 0, 60))
        tables = (
            Table("visits", "person", columns, row_clip=8),
            Table("patients", "person", (Column("sex", Kind.CODE, codes=("1", "2")),), row_clip=1),
        )
        plain = Dataset(
            name="hospital", version=1, register="city", grade=3, domain="care", delta="1e-6", size_class=1000,
            tables=tables, digest="0" * 64, policy_digest="0" * 64, demo=True,
        )  # fmt: skip
        return replace(plain, **changes)

    def asked(self, **changes: Any) -> Asked:
        today = date.today()  # the home's own calendar, as the product takes it
        plain = Asked(
            title="Length of stay",
            purpose="To see which departments keep people longest.",
            legal_basis="Research of public interest, ethics approval on file.",
            dataset="hospital",
            epsilon_project="3.0",
            epsilon_researcher="1.5",
            starts_on=today,
            ends_on=today + timedelta(days=30),
        )
        return replace(plain, **changes)

    def draft(self, author: str = "researcher", *, grade: int = 3, **changes: Any) -> Request:
        who, dataset = self.member(author), self.dataset(grade=grade)
        return access.draft(self.db, self.keyring, self.permissions, self.policy, who, self.asked(**changes), dataset)

    def submitted(self, author: str = "researcher", **changes: Any) -> Request:
        return self.submit(self.draft(author, **changes))

    def submit(self, request: Request) -> Request:
        author = self.member(request.author)
        return access.submit(self.db, self.permissions, author, request.id, token=self.tokens[author.id])

    def approve(self, request: Request, approver: str) -> Request:
        who, token = self.member(approver), self.tokens[approver]
        return access.approve(self.db, self.keyring, self.permissions, who, request.id, token=token)

    def granted(self, **changes: Any) -> Request:
        """A request of `researcher` that went all the way; `project_of` finds what it opened."""
        return self.approve(self.approve(self.submitted(**changes), "steward"), "officer")

    def project(self, request: Request) -> str:
        return access.project_of(self.db, request.id).id

    def events(self, kind: str) -> list[dict[str, Any]]:
        with reading(self.db) as connection:
            rows = connection.execute(select(events).where(events.c.kind == kind).order_by(events.c.seq)).all()
        return [body_of(row) for row in rows]


@pytest.fixture(scope="session")
def peopled_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    place = Place(tmp_path_factory.mktemp("peopled") / "home")
    place.make()
    keyring = Keyring(place)
    keyring.create()
    db, permissions = open_state(place), Permissions.load(POLICIES)
    tokens = {"operator": people.first_operator(db, keyring, "operator", "Operator")}
    operator = people.authenticate(db, keyring, tokens["operator"])
    for name, roles in ROLES_OF.items():
        tokens[name] = people.add(db, keyring, permissions, operator, name, name.title(), roles)
    db.dispose()
    return place.home, tokens


@pytest.fixture
def cast(peopled_home: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Cast]:
    template, tokens = peopled_home
    place = Place(shutil.copytree(template, tmp_path / "home"))
    db = connect(place.state)
    yield Cast(place, Keyring(place), db, Permissions.load(POLICIES), AccessPolicy.load(POLICIES), dict(tokens))
    db.dispose()


@pytest.fixture
def policy_texts() -> tuple[str, str]:
    """The permission policies and their schema, as text."""
    return (POLICIES / "permissions.cedar").read_text(), (POLICIES / "permissions.cedarschema").read_text()
