"""Is this release what the enclave sent, unaltered?

A release is a folder (or its zip) with `receipt.json`: {"receipt": {...}, "signature": {...}}. In order: (1) the receipt is
JSON of a known format, (2) its signature (Ed25519, RFC 8032) is over its one canonical spelling, (3) by the expected key,
(4) every file it names is there with its SHA-256, (5) there is no other file. A signature by a key nobody expected proves
only that the folder was not altered since; the report says so.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domicile.wire.words import say

FORMAT = 1
RECEIPT = "receipt.json"
_MAX_FILE = 512 * 1024 * 1024


@dataclass(frozen=True)
class Trouble:
    """One thing that does not hold, and where."""

    code: str
    place: str = ""

    def words(self, lang: str | None = None) -> str:
        return say(self.code, lang)


@dataclass(frozen=True)
class Report:
    """What was found. `ok` says that all holds; `key_known` that the key was the expected one, not merely a key."""

    troubles: tuple[Trouble, ...]
    receipt: Mapping[str, Any]
    public_key: str = ""
    key_known: bool = False

    @property
    def ok(self) -> bool:
        return not self.troubles

    def __str__(self) -> str:
        if self.troubles:
            return "\n".join(f"{t.words()} ({t.place})" if t.place else t.words() for t in self.troubles)
        return say("release.verified" if self.key_known else "release.verified_unknown_key")


class _Unreadable(Exception):
    """The release cannot be read at all."""


def _files(release: Path) -> dict[str, bytes]:
    """Every file of the release by its path inside."""
    if release.is_dir():
        return dict(_folder(release))
    try:
        with zipfile.ZipFile(release) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MAX_FILE:
                raise _Unreadable("size")
            names = [entry.filename for entry in package.infolist()]
            if len(set(names)) != len(names):  # two files of one name: which one is shown depends on who unpacks
                raise _Unreadable("twice")
            files = {name: package.read(name) for name in names if not name.endswith("/")}
    # zipfile says NotImplementedError of an unknown compression, RuntimeError of an encrypted entry
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as broken:
        raise _Unreadable(str(broken)) from broken
    if RECEIPT in files:
        return files
    return {name.partition("/")[2]: content for name, content in files.items()}


def _folder(release: Path) -> list[tuple[str, bytes]]:
    found = []
    for path in sorted(release.rglob("*")):
        if path.is_symlink():
            raise _Unreadable("link")
        if path.is_file():
            found.append((path.relative_to(release).as_posix(), path.read_bytes()))
    return found


def canonical(value: object) -> bytes:
    """The one spelling that is signed: sorted keys, no spaces, no floats (as `enclave.audit.chain.canonical`)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _signature_holds(message: bytes, signature: Mapping[str, Any]) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as missing:  # the plain researcher's install may lack it
        raise RuntimeError(say("client.verify_needs_cryptography")) from missing
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(signature.get("public_key"))))
        key.verify(bytes.fromhex(str(signature.get("value"))), message)
    except (InvalidSignature, ValueError):
        return False
    return signature.get("algorithm") == "Ed25519"


def _named_files(receipt: Mapping[str, Any]) -> dict[str, str]:
    named: dict[str, str] = dict(receipt["files"])
    for output in receipt["outputs"]:
        named.update(output["files"])
    return named


def _check_files(receipt: Mapping[str, Any], files: Mapping[str, bytes]) -> list[Trouble]:
    try:
        named = _named_files(receipt)
    except (KeyError, TypeError, ValueError):
        return [Trouble("release.receipt_unknown", RECEIPT)]
    troubles = []
    for name, digest in sorted(named.items()):
        if name not in files:
            troubles.append(Trouble("release.file_missing", name))
        elif hashlib.sha256(files[name]).hexdigest() != digest:
            troubles.append(Trouble("release.file_altered", name))
    foreign = sorted(set(files) - set(named) - {RECEIPT})
    return troubles + [Trouble("release.file_foreign", name) for name in foreign]


def verify(release: str | Path, public_key: str | None = None) -> Report:
    """Check a release, a folder or its zip, under the enclave's `public_key` (hex) where it is known."""
    try:
        files = _files(Path(release))
        signed = json.loads(files[RECEIPT])
        receipt, signature = signed["receipt"], signed["signature"]
        message = canonical(receipt)
        known_format = (
            receipt["format"] == FORMAT and isinstance(signature, dict) and set(signed) == {"receipt", "signature"}
        )
    except (_Unreadable, OSError):
        return Report((Trouble("release.unreadable", str(release)),), {})
    except (KeyError, TypeError, ValueError, RecursionError):
        return Report((Trouble("release.receipt_unknown", RECEIPT),), {})
    if not known_format:
        return Report((Trouble("release.receipt_unknown", RECEIPT),), {})
    troubles = [] if _signature_holds(message, signature) else [Trouble("release.signature_broken", RECEIPT)]
    key = str(signature.get("public_key"))
    if public_key is not None and key.lower() != public_key.lower():
        troubles.append(Trouble("release.key_foreign", RECEIPT))
    troubles += _check_files(receipt, files)
    return Report(tuple(troubles), receipt, key, public_key is not None and not troubles)
