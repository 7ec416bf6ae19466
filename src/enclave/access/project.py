"""Who works together, under which request?

A project is opened by an approved request, in the same transaction, and lives as long as its grant does. The table of
members only finds projects; who belongs stands in the signed content.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, insert, select

from enclave.access.content import Content
from enclave.access.tables import project_members, projects
from enclave.audit import Event, Transaction, declare
from enclave.errors import NotFound
from enclave.store import reading

OPENED = declare("project.opened", "an approved request opened a project")


@dataclass(frozen=True)
class Project:
    """A piece of work with its people. Its budget account carries its id."""

    id: str
    request: str
    title: str
    members: tuple[str, ...]
    opened_at: str


def open_project(tx: Transaction, content: Content, actor: str, at: str) -> str:
    """Open the project of a request that was just granted; its id."""
    project = "prj_" + secrets.token_hex(8)
    tx.also(Event(OPENED, actor, project, {"request": content.request, "members": sorted(content.members)}))
    row = {"id": project, "request": content.request, "title": content.asked.title, "opened_at": at}
    tx.execute(insert(projects), row)
    tx.execute(insert(project_members), [{"project": project, "member": who} for who in sorted(content.members)])
    return project


def _projects(db: Engine, *where: ColumnElement[bool]) -> tuple[Project, ...]:
    query = select(projects, project_members.c.member).join(project_members).where(*where)
    with reading(db) as connection:
        rows = connection.execute(query.order_by(projects.c.opened_at, projects.c.id, project_members.c.member)).all()
    people: dict[str, list[str]] = {}
    for row in rows:
        people.setdefault(row.id, []).append(row.member)
    found = {row.id: Project(row.id, row.request, row.title, tuple(people[row.id]), row.opened_at) for row in rows}
    return tuple(found.values())


def projects_of(db: Engine, member_id: str) -> tuple[Project, ...]:
    """The projects of a member, oldest first."""
    mine = select(project_members.c.project).where(project_members.c.member == member_id)
    return _projects(db, projects.c.id.in_(mine))


def all_projects(db: Engine) -> tuple[Project, ...]:
    """Every project of the home, oldest first."""
    return _projects(db)


def find_project(db: Engine, project_id: str) -> Project:
    """The project; NotFound when there is none."""
    if found := _projects(db, projects.c.id == project_id):
        return found[0]
    raise NotFound("access.no_project")


def project_of(db: Engine, request_id: str) -> Project:
    """The project a granted request opened; NotFound while there is none."""
    if found := _projects(db, projects.c.request == request_id):
        return found[0]
    raise NotFound("access.no_project")
