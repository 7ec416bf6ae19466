"""How does an extract come to stand on the shelf, and which one is asked?

`shelve` builds a draft beside the versions, renames it whole into place and commits row and events in one transaction. A
crash between the two leaves a folder without a row; the next build replaces it. The same content under the same policy is
the same version.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from enclave import audit
from enclave.audit.event import now
from enclave.catalogue import choices, registers
from enclave.catalogue.bought import with_profile
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import dataset_of, dictionary_digest, from_json, to_json
from enclave.catalogue.drafts import disk_full_named, drafted, sync
from enclave.catalogue.manifest import Manifest, folder_of, open_key, seal_purpose, write_manifest
from enclave.catalogue.reports import keep_last, keep_with, report_of
from enclave.catalogue.states import EVENTS, State, check_move
from enclave.catalogue.tables import extracts
from enclave.errors import EnclaveError, NotFound
from enclave.intake import descriptor as descriptors
from enclave.intake import graded
from enclave.intake.carried import Earlier, Standing, made_by
from enclave.intake.choices import BY_CHOICE, Choices
from enclave.intake.extract import Extract, build, check_home
from enclave.intake.package import Descriptor
from enclave.intake.planned import Plan, plan
from enclave.intake.policy import Signed, check_signed
from enclave.intake.raw import Where
from enclave.intake.report import Stopped
from enclave.intake.watched import Progress, silent
from enclave.store import Keyring, Place, reading, seal

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
        work = _Intake(db, place, keyring, actor, signed, d)
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
            dataset = _put(work, draft, extract, file_key, chosen)
            progress("shelved", 0, None)
            return Shelved(dataset, False, extract.rows, extract.dropped, extract.taken_over)


@dataclass(frozen=True)
class _Intake:
    """An intake under way: in which house, by whom, under which signed text."""

    db: Engine
    place: Place
    keyring: Keyring
    actor: str
    signed: Signed
    d: Descriptor

    @property
    def pseudonym_key(self) -> bytes:
        return self.keyring.pseudonym_key(self.d.register_, create=True)

    def facts(self, extract: Extract) -> dict[str, str]:
        """What the trace says of what was built."""
        over = {"taken_over": ", ".join(extract.taken_over)} if extract.taken_over else {}
        return {"content": extract.digest, "policy": self.signed.digest, "norms": extract.norm_digest, **over}

    def tell(self, state: State, facts: dict[str, Any]) -> None:
        """The event of a state that has no row yet."""
        with audit.record(self.db, audit.Event(EVENTS[state], self.actor, f"dataset {self.d.name}", facts)):
            pass


def _built(
    work: _Intake,
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


def _put(work: _Intake, draft: Path, extract: Extract, file_key: bytes, chosen: Choices) -> Dataset:
    """The draft as the newest version on the shelf."""
    db, place, keyring, d = work.db, work.place, work.keyring, work.d
    version = _newest(db, d.name) + 1
    dataset = dataset_of(d, version=version, digest=extract.digest, policy_digest=work.signed.digest)
    wrapping = keyring.dataset_key(d.name, create=True)
    sealed = seal(wrapping, file_key, seal_purpose(d.name, extract.digest))
    kept = keep_with(draft, replace(extract.report, policy=work.signed.digest))
    registers.keep_marks(draft, keyring, d, extract.digest, extract.marks)
    manifest = _manifest(dataset, extract, work.signed, sealed, keyring.fingerprint(work.pseudonym_key), kept)
    apart = dict(d.apart.from_) if d.apart else {}
    standing = {name: asdict(made_from) for name, made_from in extract.standing.items()}
    write_manifest(draft, replace(manifest, apart=apart, made_by=made_by(), standing=standing), keyring)
    with registers.one_at_a_time(place):
        registers.check_apart(db, place, keyring, d, extract.marks)
        _place(draft, folder_of(place, d.name, version))
        _commit(db, work.actor, dataset, extract, d, chosen)
    return dataset


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


def _manifest(
    dataset: Dataset, extract: Extract, signed: Signed, sealed: bytes, pseudonym_key: str, report: str
) -> Manifest:
    return Manifest(
        name=dataset.name,
        version=dataset.version,
        register=dataset.register,
        demo=dataset.demo,
        digest=extract.digest,
        file_digest=extract.file_digest,
        policy_digest=signed.digest,
        policy_signer=signed.signer,
        norm_digest=extract.norm_digest,
        pseudonym_key=pseudonym_key,
        sealed_key=sealed.hex(),
        rows=extract.rows,
        read=extract.read,
        # how many chose to be left out is told in the steward's report alone
        dropped={table: {r: n for r, n in found.items() if r != BY_CHOICE} for table, found in extract.dropped.items()},
        lineage=extract.lineage,
        made_at=now(),
        dictionary=dictionary_digest(dataset),
        report=report,
    )


def _place(draft: Path, folder: Path) -> None:
    """Rename the finished draft into place, durably. A folder that stands there has no row: a crash left it."""
    for path in draft.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync(draft)
    if folder.exists():
        shutil.rmtree(folder)
    draft.rename(folder)
    sync(folder.parent)


def _commit(db: Engine, actor: str, dataset: Dataset, extract: Extract, d: Descriptor, chosen: Choices) -> None:
    """The new version's row, the old one's move and both events, or none of them."""
    check_move(State.CHECKED, State.SHELVED)
    subject = f"dataset {dataset.name}"
    facts = {"version": dataset.version, "content": dataset.digest, "policy": dataset.policy_digest}
    row = {
        "name": dataset.name,
        "version": dataset.version,
        "state": State.SHELVED,
        "digest": dataset.digest,
        "policy_digest": dataset.policy_digest,
        "norm_digest": extract.norm_digest,
        "file_digest": extract.file_digest,
        "dictionary": to_json(dataset),
        "shelved_at": now(),
        "shelved_by": actor,
    }
    with audit.record(db, audit.Event(EVENTS[State.SHELVED], actor, subject, facts)) as tx:
        choices.check_current(tx, d, chosen)
        shelved = (extracts.c.name == dataset.name) & (extracts.c.state == State.SHELVED)
        for old in tx.execute(select(extracts.c.version).where(shelved)).scalars().all():
            check_move(State.SHELVED, State.SUPERSEDED)
            gone = audit.Event(EVENTS[State.SUPERSEDED], actor, subject, {"version": old, "by": dataset.version})
            tx.also(gone)
        tx.execute(update(extracts).where(shelved).values(state=State.SUPERSEDED))
        tx.execute(insert(extracts), row)


def _earlier(work: _Intake) -> Earlier | None:
    """The shelved version, when it was made under this very text, by these keys and this program, and is whole."""
    place, keyring, d = work.place, work.keyring, work.d
    dataset = _dataset(work.db, d.name, None)
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


def _newest(db: Engine, name: str) -> int:
    with reading(db) as connection:
        return connection.execute(select(func.max(extracts.c.version)).where(extracts.c.name == name)).scalar() or 0


def _unchanged(
    db: Engine, place: Place, keyring: Keyring, name: str, extract: Extract, signed: Signed
) -> Dataset | None:
    """The shelved version when it holds this very content under this very policy, and still opens."""
    dataset = _dataset(db, name, None)
    if dataset is None:
        return None
    if (dataset.digest, dataset.policy_digest) != (extract.digest, signed.digest):
        return None
    try:
        open_key(place, keyring, dataset)
    except EnclaveError:  # its manifest, dictionary or file is not what was shelved: a new version takes its place
        return None
    return dataset


def _dataset(db: Engine, name: str, version: int | None) -> Dataset | None:
    wanted = select(extracts.c.dictionary, extracts.c.state).where(extracts.c.name == name)
    if version is None:
        wanted = wanted.where(extracts.c.state == State.SHELVED)
    else:
        wanted = wanted.where(extracts.c.version == version)
    with reading(db) as connection:
        found = connection.execute(wanted.order_by(extracts.c.version.desc()).limit(1)).first()
        if found is not None and found.state in (State.RETIRED, State.DESTROYED):
            raise NotFound(f"catalogue.{found.state}", name=name, version=version)
        return with_profile(connection, from_json(found.dictionary)) if found is not None else None


def find(db: Engine, name: str, version: int | None = None) -> Dataset:
    """The shelved version of a dataset, or a stated one; NotFound when there is none."""
    found = _dataset(db, name, version)
    if found is None and version is None:
        if newest := _newest(db, name):
            _dataset(db, name, newest)  # says so when it was retired or destroyed
        raise NotFound("catalogue.no_dataset", name=name)
    if found is None:
        raise NotFound("catalogue.no_version", name=name, version=version)
    return found


def listing(db: Engine) -> tuple[Dataset, ...]:
    """Every dataset's shelved version, by name."""
    wanted = select(extracts.c.dictionary).where(extracts.c.state == State.SHELVED).order_by(extracts.c.name)
    with reading(db) as connection:
        rows = connection.execute(wanted).all()
        return tuple(with_profile(connection, from_json(row.dictionary)) for row in rows)
