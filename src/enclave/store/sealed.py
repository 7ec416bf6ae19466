"""How is a file written so that it is whole, and sealed so that only a key opens it?

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce in front; the purpose is bound in as associated data, so a
sealed dataset key cannot be passed off as a signing key.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.errors import Tampered

_NONCE = 12


def seal(key: bytes, plain: bytes, purpose: str) -> bytes:
    """`plain` encrypted under the 32-byte `key`, bound to `purpose`."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())


def open_sealed(key: bytes, sealed: bytes, purpose: str) -> bytes:
    """The bytes `seal` was given; Tampered when key, purpose or any bit differs."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
    except (InvalidTag, ValueError) as broken:
        raise Tampered("store.seal_broken", purpose=purpose) from broken


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Either the old file or the whole new one, whatever happens; durable when this returns."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
