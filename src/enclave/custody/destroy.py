"""How is a dataset destroyed, so that nobody can open it again, and what proves it?

By its key: every version's file key is sealed under the dataset's key, and that key is overwritten and removed; then the
files go too. First the states and their events, in one transaction: from then on nobody is given a version. What a crash
leaves after that, the next call finishes. The certificate names what was destroyed, by whom and why, and carries the
home's signature and the heads of both chains. Copies of the key that left the house (a backup) are for their keeper to
destroy: the certificate says so.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from enclave import audit
from enclave.audit.event import now
from enclave.budget import verify as verify_ledger
from enclave.catalogue.life import Destroyed, destroy_versions
from enclave.errors import BadInput
from enclave.store import Keyring, Place, write_atomically

CERTIFIED = audit.declare("extract.destruction_certified", "a certificate of a destruction was signed")
_METHOD = (
    "the key that seals the file keys of all versions was overwritten and removed (AES-256-GCM envelope); then the files. "
    "Copies of that key in backups outside this home are not covered: destroy them and keep this certificate with the proof."
)


@dataclass(frozen=True)
class Certificate:
    """What is signed; `versions` are all that are destroyed by now, by this call or an earlier one."""

    dataset: str
    versions: tuple[Destroyed, ...]
    key: str
    """Fingerprint of the destroyed key; "" when an earlier call had removed it already."""
    actor: str
    reason: str
    at: str
    state_head: str
    ledger_head: str
    method: str = _METHOD

    def message(self) -> bytes:
        """The bytes that are signed."""
        return audit.canonical({"purpose": "domicile destruction", **asdict(self)})


def destroy(db: Engine, place: Place, keyring: Keyring, actor: str, name: str, reason: str) -> Path:
    """Destroy every version of the dataset `name`; the path of its certificate. NotFound when there is none."""
    if not reason.strip():
        raise BadInput("custody.no_reason")
    versions = destroy_versions(db, actor, name, reason.strip())
    key = keyring.destroy_dataset_key(name)
    for left in (place.extracts / name, place.twins / name):
        shutil.rmtree(left, ignore_errors=True)
    made = Certificate(
        dataset=name,
        versions=versions,
        key=key,
        actor=actor,
        reason=reason.strip(),
        at=now(),
        state_head=audit.head(db).hash,
        ledger_head=verify_ledger(place.ledger).hash if place.ledger.exists() else "",
    )
    return _kept(db, place, keyring, made)


def _kept(db: Engine, place: Place, keyring: Keyring, made: Certificate) -> Path:
    tree: dict[str, Any] = {"certificate": asdict(made), "signature": asdict(keyring.sign(made.message()))}
    text = json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True).encode()
    place.certificates.mkdir(mode=0o700, exist_ok=True)
    path = place.certificates / f"{made.dataset}-{made.at[:19].replace(':', '')}.json"
    with audit.record(db, audit.Event(CERTIFIED, made.actor, f"dataset {made.dataset}", {"file": path.name})):
        write_atomically(path, text)
    return path
