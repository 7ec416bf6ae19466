"""May this register have an account of its own?

Two registers are separate only by a signed statement of the rule that makes them disjoint and a check that no mark of one
is a mark of the other (design §4, Population). Whatever is not stated or cannot be checked is refused: the datasets then
name one register, or one charges the other's in each of its tables (`registers`). Marks lie beside the version, sealed
under the dataset's key, and go with it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from enclave.catalogue.dictionary import from_json
from enclave.catalogue.manifest import Manifest, folder_of
from enclave.catalogue.states import State
from enclave.catalogue.tables import extracts
from enclave.errors import EnclaveError, Refused, Tampered
from enclave.intake.overlap import Marks, shared
from enclave.intake.package import Descriptor
from enclave.store import Keyring, Place, open_sealed, reading, seal, write_atomically

MARKS = "registers.sealed"


@dataclass(frozen=True)
class _Version:
    name: str
    version: int
    register: str


def _others(db: Engine, d: Descriptor) -> Iterator[_Version]:
    """Every version that can still be opened of a register whose account does not bear the questions on `d` too."""
    kept = (State.SHELVED, State.SUPERSEDED, State.RETIRED)
    wanted = (
        select(extracts.c.dictionary).where(extracts.c.state.in_(kept)).order_by(extracts.c.name, extracts.c.version)
    )
    with reading(db) as connection:
        rows = connection.execute(wanted).scalars().all()
    for dataset in map(from_json, rows):
        theirs, ours = dataset.register, d.register_
        charged_there = all(theirs in (ours, *table.registers) for table in d.tables)
        charged_here = all(ours in (theirs, *table.registers) for table in dataset.tables)
        if not (charged_there or charged_here):
            yield _Version(dataset.name, dataset.version, theirs)


@contextmanager
def one_at_a_time(place: Place) -> Iterator[None]:
    """Between the check and the shelf no other register comes in."""
    with (place.extracts / ".registers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_stated(db: Engine, place: Place, keyring: Keyring, d: Descriptor) -> None:
    """Refused before anything is read when another register is here and nobody signed why they are disjoint."""
    own = d.apart.from_ if d.apart else {}
    for other in _others(db, d):
        if d.apart is None:
            raise Refused("catalogue.registers_unchecked", register=d.register_, other=other.register, name=d.name)
        if other.register not in own and d.register_ not in _manifest(place, keyring, other).apart:
            raise Refused("catalogue.registers_unstated", register=d.register_, other=other.register)


def check_apart(db: Engine, place: Place, keyring: Keyring, d: Descriptor, found: Marks) -> None:
    """Refused when a register shares a person with another, or the other has no marks to compare."""
    check_stated(db, place, keyring, d)
    for other in _others(db, d):
        theirs = _marks(place, keyring, other)
        if theirs is None:
            raise Refused("catalogue.registers_unchecked", register=other.register, other=d.register_, name=other.name)
        if count := shared(found.found, theirs):
            raise Refused("catalogue.registers_overlap", register=d.register_, other=other.register, count=count)


def keep_marks(draft: Path, keyring: Keyring, d: Descriptor, digest: str, found: Marks) -> None:
    """Put the marks beside the extract they belong to."""
    if d.apart is not None:
        write_atomically(draft / MARKS, seal(keyring.dataset_key(d.name), found.found, _purpose(d.name, digest)))


def _purpose(name: str, digest: str) -> str:
    return f"registers {name} {digest}"


def _manifest(place: Place, keyring: Keyring, other: _Version) -> Manifest:
    try:
        return Manifest.read_from(folder_of(place, other.name, other.version), keyring)
    except (OSError, ValueError, KeyError, TypeError, EnclaveError):
        raise Tampered("catalogue.tampered", dataset=other.name, version=other.version, what="manifest") from None


def _marks(place: Place, keyring: Keyring, other: _Version) -> bytes | None:
    manifest = _manifest(place, keyring, other)
    if not manifest.apart:
        return None
    path = folder_of(place, other.name, other.version) / MARKS
    try:
        return open_sealed(keyring.dataset_key(other.name), path.read_bytes(), _purpose(other.name, manifest.digest))
    except (OSError, Tampered):
        raise Tampered("catalogue.tampered", dataset=other.name, version=other.version, what=MARKS) from None
