"""Which key opens or signs what?

Envelope encryption: the home key wraps dataset keys, a dataset key wraps file keys. The home signs with Ed25519
(RFC 8032); members sign with keys of their own, sealed under a key only their token gives (HKDF-SHA256, RFC 5869), so
that whoever holds the home still cannot approve in another's name without their token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from enclave.errors import NotFound, Tampered
from enclave.store.place import Place
from enclave.store.sealed import open_sealed, seal, write_atomically


@dataclass(frozen=True)
class Signature:
    """A detached Ed25519 signature (hex) and the public key (hex) it verifies under."""

    public_key: str
    value: str


def verify_signature(message: bytes, signature: Signature) -> None:
    """Tampered unless `signature` is of `message`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        key.verify(bytes.fromhex(signature.value), message)
    except (InvalidSignature, ValueError) as broken:
        raise Tampered("store.signature_broken") from broken


def _raw(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes_raw()


def sign_with(private: bytes, message: bytes) -> Signature:
    """Sign with a raw 32-byte Ed25519 private key."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    return Signature(_public(key), key.sign(message).hex())


def _public(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def new_signing_key() -> tuple[bytes, str]:
    """A fresh Ed25519 pair: raw private key, public key in hex."""
    private = _raw(Ed25519PrivateKey.generate())
    return private, sign_with(private, b"").public_key


def key_from_secret(secret: str, purpose: str) -> bytes:
    """A 32-byte key that only the holder of `secret` (a high-entropy token) can derive."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())


class Keyring:
    """The keys of one home."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._public = (b"", "")
        """What the two files held, the home key by its digest, and the public key that follows from them."""

    def create(self) -> None:
        """Make the home key and the home's signing key; keys that exist are kept."""
        home = self._place.keys / "home.key"
        if not home.exists():
            write_atomically(home, os.urandom(32))
        if not (self._place.keys / "sign.sealed").exists():
            self._keep("sign", new_signing_key()[0])

    def _home_key(self) -> bytes:
        try:
            return (self._place.keys / "home.key").read_bytes()
        except FileNotFoundError as missing:
            raise NotFound("store.no_home_key") from missing

    def _keep(self, name: str, secret: bytes) -> None:
        write_atomically(self._place.keys / f"{name}.sealed", seal(self._home_key(), secret, name))

    def _sealed(self, name: str) -> bytes:
        try:
            return (self._place.keys / f"{name}.sealed").read_bytes()
        except FileNotFoundError as missing:
            raise NotFound("store.no_key", name=name) from missing

    def _take(self, name: str) -> bytes:
        sealed = self._sealed(name)
        return open_sealed(self._home_key(), sealed, name)

    def sign(self, message: bytes) -> Signature:
        """The home's signature."""
        return sign_with(self._take("sign"), message)

    @property
    def public_key(self) -> str:
        """The key under which the home's signatures verify, in hex. Every question of a run asks, and derives it anew only
        where one of the two files has changed."""
        sealed, home = self._sealed("sign"), self._home_key()
        seen = hashlib.sha256(home).digest() + sealed
        if self._public[0] != seen:
            private = Ed25519PrivateKey.from_private_bytes(open_sealed(home, sealed, "sign"))
            self._public = (seen, _public(private))
        return self._public[1]

    def verify(self, message: bytes, signature: Signature) -> None:
        """Tampered unless this home signed `message`."""
        if not hmac.compare_digest(signature.public_key, self.public_key):
            raise Tampered("store.signature_foreign")
        verify_signature(message, signature)

    def dataset_key(self, dataset: str, *, create: bool = False) -> bytes:
        """The 32-byte key of a dataset; NotFound once destroyed."""
        return self._named(f"dataset.{dataset}", create)

    def destroy_dataset_key(self, dataset: str) -> str:
        """Overwrite and remove the key of a dataset, durably; its fingerprint, or "" when it was gone before."""
        path = self._place.keys / f"dataset.{dataset}.sealed"
        if not path.exists():
            return ""
        fingerprint = self.fingerprint(self.dataset_key(dataset))
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return fingerprint

    def pseudonym_key(self, register: str, *, create: bool = False) -> bytes:
        """The 32-byte HMAC key that turns identifiers of a person register into pseudonyms."""
        return self._named(f"pseudonym.{register}", create)

    def overlap_key(self) -> bytes:
        """The 32-byte HMAC key by which registers are compared; it makes no pseudonym."""
        return self._named("registers", create=True)

    def _named(self, name: str, create: bool) -> bytes:
        if create and not (self._place.keys / f"{name}.sealed").exists():
            self._keep(name, os.urandom(32))
        return self._take(name)

    @staticmethod
    def fingerprint(key: bytes) -> str:
        """A public name of a key, for events and lineage: SHA-256, first 16 hex digits."""
        return hashlib.sha256(key).hexdigest()[:16]
