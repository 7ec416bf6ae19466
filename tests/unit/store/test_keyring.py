"""A home's keys: made once, never overwritten, bound to their names."""

from pathlib import Path

import pytest

from enclave.errors import NotFound, Tampered
from enclave.store import Keyring, Place, Signature


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    place = Place(tmp_path / "home")
    place.make()
    ring = Keyring(place)
    ring.create()
    return ring


def test_creating_again_keeps_the_keys(keyring: Keyring) -> None:
    before = keyring.public_key
    keyring.create()
    assert keyring.public_key == before


def test_the_public_key_is_that_of_the_files_as_they_are_now(keyring: Keyring, tmp_path: Path) -> None:
    before, keys = keyring.public_key, tmp_path / "home" / "keys"
    sealed, home = (keys / "sign.sealed").read_bytes(), (keys / "home.key").read_bytes()
    (keys / "home.key").write_bytes(home[::-1])
    with pytest.raises(Tampered):
        _ = keyring.public_key
    (keys / "home.key").write_bytes(home)
    (keys / "sign.sealed").unlink()
    keyring.create()
    assert keyring.public_key != before
    (keys / "sign.sealed").write_bytes(sealed)
    assert keyring.public_key == before


def test_a_signature_of_another_message_or_home_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    signature = keyring.sign(b"hello")
    keyring.verify(b"hello", signature)
    with pytest.raises(Tampered):
        keyring.verify(b"hullo", signature)
    other = Place(tmp_path / "other")
    other.make()
    foreign = Keyring(other)
    foreign.create()
    with pytest.raises(Tampered):
        keyring.verify(b"hello", foreign.sign(b"hello"))
    with pytest.raises(Tampered):
        keyring.verify(b"hello", Signature(keyring.public_key, "zz"))


def test_a_dataset_key_that_was_never_made_is_not_found(keyring: Keyring) -> None:
    with pytest.raises(NotFound):
        keyring.dataset_key("nothing")
    made = keyring.dataset_key("hospital", create=True)
    assert keyring.dataset_key("hospital") == made != keyring.pseudonym_key("hospital", create=True)
