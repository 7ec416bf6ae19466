"""What left, and how does its recipient get it?"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, select

from enclave.audit import Event, declare, record
from enclave.errors import NotFound, Refused, Tampered
from enclave.people.member import Member
from enclave.people.permissions import Action, Permissions
from enclave.release.tables import releases
from enclave.store import Place, reading

FETCHED = declare("release.fetched", "a member took a release home")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Sent:
    """A release that left."""

    id: str
    run: str
    owner: str
    project: str
    members: tuple[str, ...]
    outputs: tuple[str, ...]
    receipt: dict[str, Any]
    receipt_sha256: str
    sent_at: str

    def facts(self) -> dict[str, Any]:
        """What permissions are decided on."""
        return {"owner": self.owner, "members": self.members}


def folder_of(place: Place, release: str) -> Path:
    """Where the files of a release lie."""
    return place.home / "releases" / release


def _all(db: Engine, *where: ColumnElement[bool]) -> list[Sent]:
    with reading(db) as connection:
        rows = connection.execute(select(releases).where(*where).order_by(releases.c.sent_at)).all()
    return [
        Sent(
            id=row.id,
            run=row.run,
            owner=row.owner,
            project=row.project,
            members=tuple(json.loads(row.members)),
            outputs=tuple(json.loads(row.outputs)),
            receipt=json.loads(row.receipt),
            receipt_sha256=row.receipt_sha256,
            sent_at=row.sent_at,
        )
        for row in rows
    ]


def of_run(db: Engine, run: str) -> list[Sent]:
    """The releases of a run, oldest first."""
    return _all(db, releases.c.run == run)


def outputs_of(db: Engine, projects: Collection[str]) -> int:
    """How many outputs of these projects left."""
    mine = select(releases.c.outputs).where(releases.c.project.in_(projects))
    with reading(db) as connection:
        return sum(len(json.loads(found)) for found in connection.execute(mine).scalars())


def find(db: Engine, name: str) -> Sent:
    """The newest release called `name`: its own id, its run, or one of its outputs. NotFound when nothing left by it."""
    found = _all(db, (releases.c.id == name) | (releases.c.run == name))
    found = found or [
        sent for sent in _all(db, releases.c.outputs.contains(name, autoescape=True)) if name in sent.outputs
    ]
    if not found:
        raise NotFound("release.none", name=name[:64])
    return found[-1]


def packed(place: Place, sent: Sent) -> bytes:
    """The release as a zip, the same bytes each time; Tampered when its receipt is not the one that was sent."""
    folder, package = folder_of(place, sent.id), io.BytesIO()
    try:
        receipt = (folder / "receipt.json").read_bytes()
    except OSError as gone:
        raise Tampered("release.folder_altered", release=sent.id) from gone
    if hashlib.sha256(receipt).hexdigest() != sent.receipt_sha256:
        raise Tampered("release.folder_altered", release=sent.id)
    signed = sent.receipt["receipt"]
    named = dict(signed["files"]) | {name: d for output in signed["outputs"] for name, d in output["files"].items()}
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as files:
        for name, digest in sorted(named.items()):
            files.writestr(zipfile.ZipInfo(name, _EPOCH), _content(folder / name, digest, sent.id))
        files.writestr(zipfile.ZipInfo("receipt.json", _EPOCH), receipt)
    return package.getvalue()


def _content(path: Path, digest: str, release: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as gone:
        raise Tampered("release.folder_altered", release=release) from gone
    if hashlib.sha256(content).hexdigest() != digest:
        raise Tampered("release.folder_altered", release=release)
    return content


def fetch(db: Engine, place: Place, permissions: Permissions, member: Member, name: str) -> tuple[str, bytes]:
    """The file name and the zip of a release, for a member who may have it; each fetch is an event. Who may not even read
    its outputs is told that there is none."""
    sent = find(db, name)
    try:
        allowed = permissions.enforce(db, member, Action.OUTPUT_FETCH, sent.id, sent.facts())
    except Refused:
        if permissions.may(member, Action.OUTPUT_READ, sent.facts()):
            raise
        raise NotFound("release.none", name=name[:64]) from None
    package = packed(place, sent)
    facts = {"run": sent.run, "receipt": sent.receipt_sha256} | allowed.trace()
    with record(db, Event(FETCHED, member.id, sent.id, facts)):
        pass
    return f"{sent.id}.zip", package
