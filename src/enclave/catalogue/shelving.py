"""How do raw tables become the version that is asked?

`shelve` builds a draft beside the versions, and has it put on the shelf (`shelf`). The same content under the same policy is
the same version.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from enclave import audit
from enclave.catalogue import choices, registers
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.drafts import disk_full_named, drafted
from enclave.catalogue.manifest import Manifest, open_key
from enclave.catalogue.reports import keep_last, report_of
from enclave.catalogue.shelf import Intake, put
from enclave.catalogue.states import State, check_move
from enclave.catalogue.versions import stated
from enclave.errors import EnclaveError, NotFound
from enclave.intake import descriptor as descriptors
from enclave.intake import graded
from enclave.intake.carried import Earlier, Standing, made_by
from enclave.intake.choices import Choices
from enclave.intake.extract import Extract, build, check_home
from enclave.intake.package import Descriptor
from enclave.intake.planned import Plan, plan
from enclave.intake.policy import Signed, check_signed
from enclave.intake.raw import Where
from enclave.intake.report import Stopped
from enclave.intake.watched import Progress, silent
from enclave.store import Keyring, Place

REFUSED = audit.declare("intake.refused", "raw tables or their descriptor were refused")
UNCHANGED = audit.declare("extract.unchanged", "a build gave the content that is shelved already")


@dataclass(frozen=True)
class Shelved:
    """The version that is asked now. Counts are for the steward and the regulator only."""

    dataset: Dataset
    unchanged: bool
    rows: dict[str, int]
    dropped: dict[str, dict[str, int]]
    taken_over: tuple[str, ...] = ()
    """The tables that had not changed, and were not made again."""

    @property
    def name(self) -> str:
        return self.dataset.name

    @property
    def version(self) -> int:
        return self.dataset.version

    @property
    def digest(self) -> str:
        return self.dataset.digest


@contextmanager
def _telling(db: Engine, actor: str, subject: str, folder: Path) -> Iterator[None]:
    """A refusal is an event too, with its code and place: never with a value."""
    try:
        with disk_full_named(folder):
            yield
    except EnclaveError as refused:
        detail = {"code": refused.code, "place": refused.place or ""}
        with audit.record(db, audit.Event(REFUSED, actor, subject, detail)):
            pass
        raise


def _read(path: Path, keyring: Keyring, tables: tuple[str, ...] | None) -> tuple[Signed, Descriptor]:
    signed = check_signed(path, keyring)
    descriptor = descriptors.parse(signed.text)
    graded.check(descriptor)
    return signed, descriptors.only(descriptor, tables) if tables else descriptor


def shelve(
    db: Engine,
    place: Place,
    keyring: Keyring,
    actor: str,
    descriptor_path: Path,
    source: Where,
    *,
    demo_home: bool,
    tables: tuple[str, ...] | None = None,
    anew: bool = False,
    progress: Progress = silent,
) -> Shelved:
    """Build an extract from the raw tables in `source` under the signed descriptor, and shelve it as the newest version.

    Tables whose raw files did not change are taken over from the version on the shelf, unless `anew`.
    """
    with _telling(db, actor, f"intake {descriptor_path.parent.name}", place.extracts):
        signed, d = _read(descriptor_path, keyring, tables)
        check_home(d, source, demo_home=demo_home)
        registers.check_stated(db, place, keyring, d)
        work = Intake(db, place, keyring, actor, signed, d)
        with drafted(place, d.name) as draft:
            file_key = secrets.token_bytes(32)
            chosen = choices.of(db, keyring, d)
            before = None if anew else _earlier(work)
            extract = _built(work, source, draft, file_key, chosen, before, progress)
            if same := _unchanged(db, place, keyring, d.name, extract, signed):
                with audit.record(db, audit.Event(UNCHANGED, actor, f"dataset {d.name}", work.facts(extract))) as tx:
                    choices.check_current(tx, d, chosen)
                    choices.clear(tx, actor, same.name, same.version)
                progress("unchanged", 0, None)
                return Shelved(same, True, extract.rows, extract.dropped, extract.taken_over)
            dataset = put(work, draft, extract, file_key, chosen)
            progress("shelved", 0, None)
            return Shelved(dataset, False, extract.rows, extract.dropped, extract.taken_over)


def _built(
    work: Intake,
    source: Where,
    draft: Path,
    file_key: bytes,
    chosen: Choices,
    before: Earlier | None,
    progress: Progress,
) -> Extract:
    """Build in the draft, and keep the report, whatever comes of it."""
    place, keyring, d = work.place, work.keyring, work.d
    work.tell(State.BUILDING, {"policy": work.signed.digest, "tables": [t.name for t in d.tables]})
    try:
        extract = build(
            d,
            source,
            draft,
            pseudonym_key=work.pseudonym_key,
            file_key=file_key.hex(),
            choices=chosen,
            overlap_key=keyring.overlap_key() if d.apart else b"",
            earlier=before,
            progress=progress,
        )
    except Stopped as stopped:
        keep_last(place, d.name, replace(stopped.report, policy=work.signed.digest))
        raise
    check_move(State.BUILDING, State.CHECKED)
    work.tell(State.CHECKED, work.facts(extract))
    keep_last(place, d.name, replace(extract.report, policy=work.signed.digest))
    return extract


def rehearse(
    db: Engine,
    place: Place,
    keyring: Keyring,
    descriptor_path: Path,
    source: Where,
    *,
    demo_home: bool,
    tables: tuple[str, ...] | None = None,
    progress: Progress = silent,
) -> Plan:
    """`intake --dry-run`: what would happen. Nothing is written, no key is made, nothing is shelved."""
    _, d = _read(descriptor_path, keyring, tables)
    check_home(d, source, demo_home=demo_home)
    try:
        key = keyring.pseudonym_key(d.register_)
    except NotFound:  # a rehearsal makes none: any key shows which rows would go where, and nobody has chosen under one
        key = secrets.token_bytes(32)
    return plan(d, source, place.run, pseudonym_key=key, choices=choices.of(db, keyring, d), progress=progress)


def _earlier(work: Intake) -> Earlier | None:
    """The shelved version, when it was made under this very text, by these keys and this program, and is whole."""
    place, keyring, d = work.place, work.keyring, work.d
    dataset = stated(work.db, d.name, None)
    if dataset is None or dataset.policy_digest != work.signed.digest:
        return None
    try:
        path, key = open_key(place, keyring, dataset)
        manifest = Manifest.read_from(path.parent, keyring)
        report = report_of(path.parent, manifest)
    except (OSError, ValueError, KeyError, TypeError, EnclaveError):
        return None  # what cannot be trusted is made again
    ours = (keyring.fingerprint(work.pseudonym_key), made_by(), sorted(t.name for t in d.tables))
    if (manifest.pseudonym_key, manifest.made_by, sorted(manifest.lineage)) != ours:
        return None
    standing = {name: Standing(**made_from) for name, made_from in manifest.standing.items()}
    return Earlier(path, key, standing, manifest.read, manifest.dropped, report)


def _unchanged(
    db: Engine, place: Place, keyring: Keyring, name: str, extract: Extract, signed: Signed
) -> Dataset | None:
    """The shelved version when it holds this very content under this very policy, and still opens."""
    dataset = stated(db, name, None)
    if dataset is None:
        return None
    if (dataset.digest, dataset.policy_digest) != (extract.digest, signed.digest):
        return None
    try:
        open_key(place, keyring, dataset)
    except EnclaveError:  # its manifest, dictionary or file is not what was shelved: a new version takes its place
        return None
    return dataset
