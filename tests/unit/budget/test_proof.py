"""Checkpoints are signed over both heads, kept in the ledger, and told to the witness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enclave.audit import Head
from enclave.budget import Amount, Charge, Ledger, Share, project, verify, verify_checkpoints
from enclave.budget.witness import HEADS, append, read
from enclave.errors import Tampered
from enclave.store import Keyring, Place

STATE = Head(7, "a" * 64)
CHARGE = Charge((Share(project("p"), Amount(10)),))


@pytest.fixture
def keyring(place: Place) -> Keyring:
    keyring = Keyring(place)
    keyring.create()
    return keyring


def test_a_checkpoint_covers_both_heads_and_reaches_the_witness(ledger: Ledger, place: Place, keyring: Keyring) -> None:
    reserved = ledger.reserve(CHARGE)
    made = ledger.checkpoint(STATE, keyring.sign)
    assert (made.state, made.ledger) == (STATE, reserved.head)
    assert read(place.witness / HEADS) == [made]
    assert verify_checkpoints(place.ledger, keyring.verify) == [made]
    assert verify_checkpoints(place.ledger, keyring.verify, heads=place.witness / HEADS) == [made, made]
    assert verify(place.ledger) == reserved.head


def test_a_checkpoint_of_an_empty_ledger_holds(place: Place, keyring: Keyring) -> None:
    with Ledger.of(place) as ledger:
        ledger.checkpoint(STATE, keyring.sign)
    Ledger.of(place).close()
    assert len(verify_checkpoints(place.ledger, keyring.verify)) == 1


def test_a_checkpoint_nobody_signed_is_refused(ledger: Ledger, place: Place, keyring: Keyring) -> None:
    made = ledger.checkpoint(STATE, keyring.sign)
    append(place.witness / HEADS, replace(made, state=Head(8, "b" * 64)))
    with pytest.raises(Tampered, match="signature"):
        verify_checkpoints(place.ledger, keyring.verify, heads=place.witness / HEADS)


def test_a_witness_that_is_gone_is_missed(ledger: Ledger, place: Place, keyring: Keyring) -> None:
    ledger.checkpoint(STATE, keyring.sign)
    ledger.close()
    (place.witness / HEADS).unlink()
    with pytest.raises(Tampered, match="Mount the witness"):
        Ledger.of(place)


def test_a_file_that_is_no_ledger_is_named_damaged(place: Place) -> None:
    place.ledger.write_bytes(b"not a database" * 500)
    with pytest.raises(Tampered, match="damaged"):
        Ledger.of(place)
    with pytest.raises(Tampered, match="damaged"):
        verify(place.ledger)
