"""May this project use this dataset, now?

A grant counts only while it can be proved: the home signed its standing, the author signed the request as it is stored
now, and every approval the request needs holds over that text under a key certified for that role, by different people,
none of them in the project. `check` reads all of it anew for every question and compares it with what was proved before,
to the byte: what it remembers between calls are functions of what was read alone, never that it was read. Standing, dates
and who is asking are looked at each time.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, bindparam, insert, select

from enclave.access.approval import Statement, check_granted, said_in, statements_in
from enclave.access.content import Content, content_of
from enclave.access.tables import grants, projects, requests
from enclave.audit import Event, Transaction, canonical, declare
from enclave.audit.event import now
from enclave.catalogue.choices import check_not_barred
from enclave.catalogue.dataset import Dataset
from enclave.errors import NotFound, Refused, Tampered
from enclave.people import (
    Action,
    Certificate,
    Member,
    Permissions,
    Role,
    certificates_in,
    had_role,
    papers_of,
    refusals_recorded,
    signature_holds,
)
from enclave.people.permissions import Facts
from enclave.store import Keyring, Signature, reading


class Standing(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Owner(StrEnum):
    APPROVER = "approver"
    NOBODY = "nobody"


MOVES: dict[Standing, frozenset[Standing]] = {
    Standing.ACTIVE: frozenset({Standing.SUSPENDED, Standing.EXPIRED, Standing.REVOKED}),
    Standing.SUSPENDED: frozenset({Standing.ACTIVE, Standing.EXPIRED, Standing.REVOKED}),
    Standing.EXPIRED: frozenset(),
    Standing.REVOKED: frozenset(),
}

OWNERS: dict[Standing, Owner] = {
    Standing.ACTIVE: Owner.APPROVER,
    Standing.SUSPENDED: Owner.APPROVER,
    Standing.EXPIRED: Owner.NOBODY,
    Standing.REVOKED: Owner.NOBODY,
}

CREATED = declare("grant.created", "the last approval of a request made a grant")
EVENTS: dict[Standing, str] = {
    Standing.ACTIVE: declare("grant.resumed", "a suspended grant was made active again"),
    Standing.SUSPENDED: declare("grant.suspended", "a grant was suspended until somebody resumes or revokes it"),
    Standing.EXPIRED: declare("grant.expired", "a grant came to its last day"),
    Standing.REVOKED: declare("grant.revoked", "a grant was ended for good"),
}


@dataclass(frozen=True)
class Grant:
    """What a project may use, of what, until when, by whose signatures. ε are decimal texts."""

    id: str
    project: str
    request: str
    author: str
    dataset: str
    version: int | None
    """None: whichever is current, as long as its grade is not above `grade`."""
    grade: int
    lane: str
    members: frozenset[str]
    epsilon_project: str
    epsilon_researcher: str
    tables: tuple[str, ...]
    """The tables granted; () for all."""
    variables: tuple[str, ...]
    """`table.column` granted; () for all columns of the tables granted."""
    pure: bool
    """Project and researchers spend pure ε."""
    starts_at: str
    ends_at: str
    state: Standing
    digest: str
    approvals: tuple[Statement, ...]
    papers: tuple[Certificate, ...] = field(default=(), repr=False)
    """The members' certificates, so that whoever lost their account loses the grant with it."""

    def facts(self) -> Facts:
        """What Cedar needs to know of it."""
        return {"author": self.author, "members": sorted(self.members)}

    def check_covers(self, dataset: Dataset) -> None:
        """Refused for a version that was not granted, one graded higher than what was approved, or one that is closed."""
        if dataset.openness == "closed":
            raise Refused("access.dataset_closed", place="dataset", dataset=dataset.name)
        if self.version not in (None, dataset.version):
            raise Refused("access.grant_other_version", granted=self.version, version=dataset.version)
        if dataset.grade > self.grade:
            raise Refused("access.grant_grade", granted=self.grade, grade=dataset.grade)

    def check_uses(self, tables: Iterable[str], variables: Iterable[str] = ()) -> None:
        """Refused when a table, or a variable written `table.column`, was not granted."""
        for table in tables:
            if self.tables and table not in self.tables:
                raise Refused("access.grant_no_table", place=table, table=table)
        for variable in variables:
            if self.variables and variable not in self.variables:
                raise Refused("access.grant_no_variable", place=variable, variable=variable)


def standing_message(grant: str, project: str, digest: str, state: str, at: str) -> bytes:
    """The bytes the home signs whenever a grant is made or moved."""
    body = {"grant": grant, "project": project, "digest": digest, "state": state, "at": at}
    return canonical({"kind": "domicile.grant/1", **body})


def create(tx: Transaction, keyring: Keyring, content: Content, project: str, actor: str, at: str) -> str:
    """Make the grant of a request that was just granted, in the same transaction; its id.

    Refused for a version that is barred, because persons opted out since it was built.
    """
    check_not_barred(tx, content.asked.dataset, content.asked.version)
    grant = "grt_" + secrets.token_hex(8)
    tx.also(Event(CREATED, actor, grant, {"request": content.request, "project": project, "digest": content.digest}))
    state = Standing.ACTIVE.value
    signature = keyring.sign(standing_message(grant, project, content.digest, state, at)).value
    row = {"id": grant, "request": content.request, "project": project, "state": state, "changed_at": at}
    tx.execute(insert(grants), {**row, "changed_by": actor, "reason": "", "signature": signature})
    return grant


def _proved(connection: Connection, home_key: str, row: Row[Any]) -> Grant:
    """The grant a row stands for; Tampered unless every signature it rests on holds over what is stored now."""
    try:
        said = said_in(connection, row.request, row.round)
        people = {statement.member for statement in said} | content_of(row.content).members
        return _grant_of(home_key, row, tuple(said), tuple(papers_of(connection, people)))
    except (ValueError, TypeError, Tampered) as forged:
        raise Tampered("access.grant_forged", project=row.project) from forged


@lru_cache(maxsize=512)
def _grant_of(home_key: str, row: Row[Any], said: tuple[Row[Any], ...], people: tuple[Row[Any], ...]) -> Grant:
    """The grant that these rows prove; ValueError, TypeError or Tampered when they prove none, and that is not remembered.

    A function of the home's key and of every stored column: change one letter, and it is another call."""
    content, state = content_of(row.content), Standing(row.state)
    standing = standing_message(row.id, row.project, content.digest, row.state, row.changed_at)
    if content.request != row.request or not signature_holds(standing, Signature(home_key, row.signature)):
        raise Tampered("access.grant_forged", project=row.project)
    statements, papers = statements_in(said), certificates_in(people, home_key)
    check_granted(papers, content, statements)
    asked = content.asked
    return Grant(
        id=row.id,
        project=row.project,
        request=row.request,
        author=content.author,
        dataset=asked.dataset,
        version=asked.version,
        grade=content.grade,
        lane=asked.lane,
        members=content.members,
        epsilon_project=asked.epsilon_project,
        epsilon_researcher=asked.epsilon_researcher,
        tables=asked.tables,
        variables=asked.variables,
        pure=asked.pure,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        state=state,
        digest=content.digest,
        approvals=statements[1:],
        papers=tuple(paper for paper in papers if paper.member in content.members),
    )


_ROWS = select(grants, requests.c.content, requests.c.round).join(requests, requests.c.id == grants.c.request)


@lru_cache(maxsize=16)
def _rows_of(column: ColumnElement[str]) -> Select[Any]:
    """Built once: building the statement takes longer than carrying it out, and every question of a run asks."""
    return _ROWS.where(column == bindparam("value"))


def load(db: Engine, keyring: Keyring, column: ColumnElement[str], value: str) -> Grant:
    """The proved grant whose `column` is `value`. Asks nobody's permission: `check` and `find_grant` do."""
    home_key = keyring.public_key
    with reading(db) as connection:
        row = connection.execute(_rows_of(column), {"value": value}).first()
        if row is None:
            raise NotFound("access.no_grant")
        return _proved(connection, home_key, row)


def check(
    db: Engine, keyring: Keyring, *, project: str, member: Member | str, dataset: Dataset | str, at: str | None = None
) -> Grant:
    """The grant under which `member` may use `dataset` in `project` at `at`; refusals say why and are on record.

    Given the `Dataset` itself and not only its name, its version and grade must be covered too.
    """
    at = at or now()
    person = member.id if isinstance(member, Member) else member
    with refusals_recorded(db, person, "grant.use", project):
        grant = load(db, keyring, grants.c.project, project)
        if person not in grant.members:
            raise NotFound("access.no_grant")
        if grant.state in (Standing.SUSPENDED, Standing.REVOKED):
            raise Refused(f"access.grant_{grant.state.value}", project=project)
        if grant.state is Standing.EXPIRED or at >= grant.ends_at:
            raise Refused("access.grant_expired", project=project, at=grant.ends_at[:16])
        if at < grant.starts_at:
            raise Refused("access.grant_not_started", project=project, at=grant.starts_at[:16])
        if (dataset if isinstance(dataset, str) else dataset.name) != grant.dataset:
            raise Refused("access.grant_other_dataset", place="dataset", project=project, dataset=grant.dataset)
        if not had_role(grant.papers, member=person, role=Role.RESEARCHER, at=at):
            raise Refused("access.account_ended", member=person)
        if isinstance(dataset, Dataset):
            grant.check_covers(dataset)
    return grant


def find_grant(db: Engine, keyring: Keyring, permissions: Permissions, member: Member, project: str) -> Grant:
    """The grant of a project in whatever state, if the member may read it."""
    with refusals_recorded(db, member.id, Action.GRANT_READ, project):
        grant = load(db, keyring, grants.c.project, project)
        if not permissions.may(member, Action.GRANT_READ, grant.facts()):
            raise NotFound("access.no_grant")
    return grant


def listing(db: Engine, keyring: Keyring, permissions: Permissions, member: Member) -> tuple[Grant, ...]:
    """The grants the member may read, in any state."""
    with reading(db) as connection:
        home_key = keyring.public_key
        found = [_proved(connection, home_key, row) for row in connection.execute(_ROWS.order_by(grants.c.id)).all()]
    return tuple(grant for grant in found if permissions.may(member, Action.GRANT_READ, grant.facts()))


@dataclass(frozen=True)
class Held:
    """A grant as figures count it: nobody is let in by this."""

    project: str
    title: str
    state: Standing


def held_on(db: Engine, dataset: str) -> tuple[Held, ...]:
    """Every grant that a dataset ever had, by project; unproved, for counting alone."""
    rows = select(grants.c.project, grants.c.state, projects.c.title, requests.c.content).join(
        requests, requests.c.id == grants.c.request
    )
    with reading(db) as connection:
        found = connection.execute(
            rows.join(projects, projects.c.id == grants.c.project).order_by(projects.c.opened_at)
        ).all()
    return tuple(
        Held(row.project, row.title, Standing(row.state))
        for row in found
        if content_of(row.content).asked.dataset == dataset
    )
