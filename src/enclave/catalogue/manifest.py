"""What does the shelf say about an extract, signed?

`manifest.json` stands beside the file: what it holds, from what and by which policy it was made, and its file key sealed
under the dataset's key. The home's signature covers all of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from enclave import audit
from enclave.catalogue.bought import check_profile
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import dictionary_digest
from enclave.errors import EnclaveError, NotFound, Tampered
from enclave.intake.extract import FILE
from enclave.store import Keyring, Place, Signature, open_sealed, write_atomically

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """Row counts are for the steward and the regulator; no card shows them."""

    name: str
    version: int
    register: str
    demo: bool
    digest: str
    file_digest: str
    policy_digest: str
    policy_signer: str
    norm_digest: str
    pseudonym_key: str
    """The fingerprint of the key that made the pseudonyms."""
    sealed_key: str
    rows: dict[str, int]
    read: dict[str, int]
    dropped: dict[str, dict[str, int]]
    lineage: dict[str, dict[str, str]]
    made_at: str
    dictionary: str = ""
    """`dictionary_digest` of the dataset as it was shelved: bounds and sensitivities are proved from it, never from a row of
    the database that somebody edited."""
    report: str = ""
    """SHA-256 of the intake's report beside the file; "" when none was kept."""
    apart: dict[str, str] = field(default_factory=dict)
    """Other register → the signed rule that keeps its persons apart from these; {} when no marks are kept."""
    made_by: str = ""
    standing: dict[str, dict[str, str]] = field(default_factory=dict)
    """What program made it, and each table from what (`intake.carried`): what still stands is not made again."""

    def message(self) -> bytes:
        """The bytes that are signed."""
        tree = asdict(self)
        for name in ("apart", "made_by", "standing"):
            if not tree[name]:
                del tree[name]  # as manifests were before these were kept
        return audit.canonical({"purpose": "domicile extract", **tree})

    @classmethod
    def read_from(cls, folder: Path, keyring: Keyring) -> Self:
        """The manifest in `folder`; NotFound, ValueError or Tampered when it is missing, malformed or not this home's."""
        tree: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        manifest = cls(**tree["manifest"])
        keyring.verify(manifest.message(), Signature(**tree["signature"]))
        return manifest


def write_manifest(folder: Path, manifest: Manifest, keyring: Keyring) -> None:
    """Sign and write, durably."""
    signature = asdict(keyring.sign(manifest.message()))
    tree = {"manifest": asdict(manifest), "signature": signature}
    write_atomically(folder / MANIFEST, json.dumps(tree, ensure_ascii=False, indent=1, sort_keys=True).encode())


def folder_of(place: Place, name: str, version: int) -> Path:
    return place.extracts / name / f"v{version}"


def seal_purpose(name: str, digest: str) -> str:
    """What a sealed file key is bound to: it opens no other dataset's or content's file."""
    return f"extract {name} {digest}"


def _broken(dataset: Dataset, what: str) -> Tampered:
    return Tampered("catalogue.tampered", dataset=dataset.name, version=dataset.version, what=what)


def open_key(place: Place, keyring: Keyring, dataset: Dataset) -> tuple[Path, str]:
    """The file of a dataset's version and the key that opens it, once signature, digests and key all hold.

    Tampered `catalogue.tampered` when manifest or file are not what was shelved, `catalogue.wrong_key` when the dataset
    key is another, NotFound when it was destroyed.
    """
    folder = folder_of(place, dataset.name, dataset.version)
    try:
        manifest = Manifest.read_from(folder, keyring)
    except (OSError, ValueError, KeyError, TypeError, EnclaveError) as broken:
        if isinstance(broken, NotFound):
            raise
        raise _broken(dataset, "manifest") from None
    promised = (dataset.name, dataset.version, dataset.digest, dataset.policy_digest, dataset.demo)
    if (manifest.name, manifest.version, manifest.digest, manifest.policy_digest, manifest.demo) != promised:
        raise _broken(dataset, "manifest")
    if manifest.dictionary != dictionary_digest(dataset):
        raise _broken(dataset, "dictionary")
    check_profile(keyring, dataset)
    key = _unseal(keyring, dataset, manifest)
    path = folder / FILE
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        found = ""
    if found != manifest.file_digest:
        raise _broken(dataset, "file")
    return path, key


def _unseal(keyring: Keyring, dataset: Dataset, manifest: Manifest) -> str:
    wrapping = keyring.dataset_key(dataset.name)
    try:
        sealed = bytes.fromhex(manifest.sealed_key)
        return open_sealed(wrapping, sealed, seal_purpose(dataset.name, dataset.digest)).hex()
    except (Tampered, ValueError):
        raise Tampered("catalogue.wrong_key", dataset=dataset.name, version=dataset.version) from None
