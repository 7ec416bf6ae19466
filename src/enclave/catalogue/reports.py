"""Where is the report of an intake, and who read it?

A version's report lies beside its file; that of the last intake of a dataset, shelved or stopped, in the dataset's
folder. Both are readable by their owner alone, and every reading is an event.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Engine

from enclave import audit
from enclave.catalogue.manifest import Manifest, folder_of
from enclave.errors import NotFound, Tampered
from enclave.intake import report as reports
from enclave.intake.report import Report
from enclave.people import Action, Member, Permissions
from enclave.store import Keyring, Place, write_atomically

READ = audit.declare("report.read", "the report of an intake was read")
REPORT = "report.json"


def keep_with(draft: Path, report: Report) -> str:
    """Put the report beside the extract it belongs to; its digest, for the manifest."""
    text = reports.to_json(report)
    write_atomically(draft / REPORT, text)
    return hashlib.sha256(text).hexdigest()


def keep_last(place: Place, name: str, report: Report) -> None:
    """Keep the report of the newest intake of `name`, whatever came of it."""
    folder = place.extracts / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(folder / REPORT, reports.to_json(report))


def read_report(
    db: Engine,
    place: Place,
    keyring: Keyring,
    permissions: Permissions,
    member: Member,
    name: str,
    version: int | None = None,
) -> Report:
    """The report of a version, or of the last intake; reading it is on record.

    NotFound when there is none, Tampered when a version's is not the one its manifest names.
    """
    allowed = permissions.enforce(db, member, Action.REPORT_READ, name)
    if not name.isidentifier():
        raise NotFound("catalogue.no_report", name=name)
    try:
        text = _last(place, name) if version is None else _of_version(place, keyring, name, version)
    except FileNotFoundError:
        raise NotFound("catalogue.no_report", name=name) from None
    detail = {"version": version, "digest": hashlib.sha256(text).hexdigest(), **allowed.trace()}
    with audit.record(db, audit.Event(READ, member.id, f"dataset {name}", detail)):
        pass
    return reports.from_json(text)


def report_of(folder: Path, manifest: Manifest) -> Report:
    """The report of a version as its manifest names it; OSError, ValueError and the like when it is not that."""
    text = (folder / REPORT).read_bytes()
    if manifest.report != hashlib.sha256(text).hexdigest():
        raise ValueError("the report is not the manifest's")
    return reports.from_json(text)


def _last(place: Place, name: str) -> bytes:
    return (place.extracts / name / REPORT).read_bytes()


def _of_version(place: Place, keyring: Keyring, name: str, version: int) -> bytes:
    folder = folder_of(place, name, version)
    text = (folder / REPORT).read_bytes()
    if Manifest.read_from(folder, keyring).report != hashlib.sha256(text).hexdigest():
        raise Tampered("catalogue.tampered", dataset=name, version=version, what="report")
    return text
