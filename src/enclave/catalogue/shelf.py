"""How does a finished draft come to stand on the shelf?

It is renamed whole into its place, and row and events are committed in one transaction. A crash between the two leaves a
folder without a row; the next build replaces it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update

from enclave import audit
from enclave.audit.event import now
from enclave.catalogue import choices, registers
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import dataset_of, dictionary_digest, to_json
from enclave.catalogue.drafts import sync
from enclave.catalogue.manifest import Manifest, folder_of, seal_purpose, write_manifest
from enclave.catalogue.reports import keep_with
from enclave.catalogue.states import EVENTS, State, check_move
from enclave.catalogue.tables import extracts
from enclave.catalogue.versions import newest
from enclave.intake.carried import made_by
from enclave.intake.choices import BY_CHOICE, Choices
from enclave.intake.extract import Extract
from enclave.intake.package import Descriptor
from enclave.intake.policy import Signed
from enclave.store import Keyring, Place, seal


@dataclass(frozen=True)
class Intake:
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


def put(work: Intake, draft: Path, extract: Extract, file_key: bytes, chosen: Choices) -> Dataset:
    """The draft as the newest version on the shelf."""
    db, place, keyring, d = work.db, work.place, work.keyring, work.d
    version = newest(db, d.name) + 1
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
