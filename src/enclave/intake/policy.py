"""Was this policy signed here, and is it still what was signed?

`FILE.sig` stands beside `FILE`: JSON with the digest, who signed, and the home's Ed25519 signature over both. A policy is
read once and checked as read, so what is used is what was signed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from enclave import audit
from enclave.errors import BadInput, Refused, Tampered
from enclave.intake import descriptor, graded
from enclave.store import Keyring, Signature, write_atomically

SIGNED = audit.declare("policy.signed", "a policy file was signed by this home")
DESCRIPTOR = "datapackage.yaml"
_LARGEST = 4 * 2**20


@dataclass(frozen=True)
class Signed:
    """A policy as read and checked: its bytes, their digest, who had it signed."""

    text: bytes
    digest: str
    signer: str


def signature_path(path: Path) -> Path:
    return path.with_name(path.name + ".sig")


def _message(name: str, digest: str, signer: str) -> bytes:
    return audit.canonical({"purpose": "domicile policy", "file": name, "digest": digest, "signer": signer})


def read_policy(path: Path) -> bytes:
    """The file's bytes; BadInput when it cannot be read or is no text of a few pages."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as missing:
        raise BadInput("policy.unreadable", place=str(path), why=missing.strerror or "unreadable") from None
    if len(text) > _LARGEST:
        raise BadInput("policy.too_large", place=str(path), limit=_LARGEST)
    return text


def sign(db: Engine, path: Path, keyring: Keyring, actor: str) -> Signed:
    """Sign the file for `actor` and record it. A descriptor must be well-formed first: nobody signs what intake refuses."""
    text = read_policy(path)
    if path.name == DESCRIPTOR:
        graded.check(descriptor.parse(text))
    signed = Signed(text, descriptor.digest_of(text), actor)
    signature = keyring.sign(_message(path.name, signed.digest, actor))
    sheet = {"format": 1, "file": path.name, "digest": signed.digest, "signer": actor}
    sheet |= {"public_key": signature.public_key, "signature": signature.value}
    # The event first: a signature nobody recorded would be a change without its trace; an event whose file is missing
    # shows as unsigned and is signed again.
    with audit.record(db, audit.Event(SIGNED, actor, f"policy {path.name}", {"digest": signed.digest})):
        write_atomically(signature_path(path), json.dumps(sheet, indent=1, sort_keys=True).encode() + b"\n", 0o644)
    return signed


def check_signed(path: Path, keyring: Keyring) -> Signed:
    """The policy at `path`; Refused when it is unsigned, Tampered when it, or its signature, is not this home's."""
    text = read_policy(path)
    digest = descriptor.digest_of(text)
    if not signature_path(path).exists():
        raise Refused("policy.unsigned", place=str(path), file=path.name)
    try:
        sheet = json.loads(read_policy(signature_path(path)))
        signer, signature = str(sheet["signer"]), Signature(str(sheet["public_key"]), str(sheet["signature"]))
        stated = str(sheet["digest"])
    except (ValueError, KeyError, TypeError):
        raise Tampered("policy.signature_malformed", place=str(signature_path(path))) from None
    if stated != digest:
        raise Tampered("policy.altered", place=str(path), file=path.name)
    keyring.verify(_message(path.name, digest, signer), signature)
    return Signed(text, digest, signer)
