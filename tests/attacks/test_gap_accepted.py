"""Attack: put back an older ledger and have the loss waved through, so that what was spent may be spent again (S8).

Control: the officer's true signature opens it, with nothing left to spend; what the witness saw afterwards holds again.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.attacks.test_ledger_rollback import ALL, PART, STATE, P, restore

from enclave import people
from enclave.broker.officer import accept_gap, accepted_gap
from enclave.budget import (
    Amount,
    Behind,
    Gap,
    Ledger,
    find_gap,
    gap_message,
    population,
    project,
    raise_message,
    verify,
    verify_checkpoints,
)
from enclave.budget.witness import HEADS
from enclave.errors import EnclaveError, NotFound, Refused, Tampered
from enclave.people import Permissions
from enclave.settings import Settings
from enclave.store import Keyring, Place, open_state
from enclave.store.keyring import new_signing_key, sign_with

CN = population("cn")
PRIVATE, _ = new_signing_key()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home", witness_path=tmp_path / "other-disk")
    place.make()
    Keyring(place).create()
    return place


@pytest.fixture
def yesterday(place: Place, tmp_path: Path) -> Path:
    with Ledger.of(place) as ledger:
        ledger.open_account(P, Amount(100), actor="officer")
        ledger.open_account(CN, Amount(100), actor="officer")
        ledger.checkpoint(STATE, Keyring(place).sign)
    copy = tmp_path / "yesterday.db"
    shutil.copy(place.ledger, copy)
    with Ledger.of(place) as ledger:
        ledger.reserve(ALL)
        ledger.checkpoint(STATE, Keyring(place).sign)
    restore(place, copy)
    return copy


def found(place: Place) -> Behind:
    behind = find_gap(place.ledger, place.witness / HEADS)
    assert behind is not None
    return behind


def signed(behind: Behind, private: bytes = PRIVATE) -> Gap:
    signature = sign_with(private, gap_message(behind.seen, behind.actual, behind.lines))
    return Gap(behind.seen, behind.actual, behind.lines, "officer", signature)


def opened_with(place: Place, gap: Gap) -> None:
    Ledger.of(place, accepted=lambda _: gap).close()


def test_control_with_the_officers_gap_it_opens_and_has_nothing_left(place: Place, yesterday: Path) -> None:
    with pytest.raises(Tampered):
        Ledger.of(place)
    with Ledger.of(place, accepted=signed) as ledger:
        assert ledger.balance(P).left == ledger.balance(CN).left == Amount(0)
        with pytest.raises(Refused):
            ledger.reserve(PART)
        signature = sign_with(PRIVATE, raise_message(P, Amount(100), Amount(101)))
        ledger.raise_cap(P, Amount(100), Amount(101), officer="officer", signature=signature)
        ledger.reserve(PART)
        ledger.checkpoint(STATE, Keyring(place).sign)
    verify(place.ledger)
    assert len(verify_checkpoints(place.ledger, Keyring(place).verify, heads=place.witness / HEADS)) > 0
    with Ledger.of(place) as again:  # and from then on without a word
        assert again.balance(P).left == Amount(0)


def test_a_register_the_older_copy_does_not_know_begins_spent(place: Place, yesterday: Path) -> None:
    with Ledger.of(place, accepted=signed) as ledger:
        assert ledger.open_account(population("other"), Amount(7), actor="broker").left == Amount(0)
        assert ledger.open_account(project("new"), Amount(7), actor="broker").left == Amount(7)


def test_a_signature_for_another_gap_or_by_nobody_opens_nothing(place: Place, yesterday: Path) -> None:
    true = signed(found(place))
    for forged in (
        replace(true, actual=true.actual._replace(seq=true.actual.seq - 1)),
        replace(true, lines=true.lines + 1),
        replace(true, signature=replace(true.signature, value="00" * 64)),
    ):
        with pytest.raises(EnclaveError):
            opened_with(place, forged)
    with pytest.raises(Tampered):
        Ledger.of(place, accepted=lambda _: None)


def test_a_second_rollback_after_an_accepted_gap_shows_again(place: Place, yesterday: Path, tmp_path: Path) -> None:
    with Ledger.of(place, accepted=signed) as ledger:
        ledger.checkpoint(STATE, Keyring(place).sign)
    with_gap = tmp_path / "with-gap.db"
    shutil.copy(place.ledger, with_gap)
    signature = sign_with(PRIVATE, raise_message(P, Amount(100), Amount(101)))
    with Ledger.of(place) as ledger:
        ledger.raise_cap(P, Amount(100), Amount(101), officer="officer", signature=signature)
        ledger.reserve(PART)
        ledger.checkpoint(STATE, Keyring(place).sign)
    for older in (with_gap, yesterday):
        restore(place, older)
        with pytest.raises(Tampered) as refused:
            Ledger.of(place)
        assert refused.value.code == "budget.behind_witness"


def test_only_the_key_of_an_officer_counts(place: Place, yesterday: Path) -> None:
    db, keyring = open_state(place), Keyring(place)
    permissions = Permissions.load(Path(__file__).parents[2] / "policies")
    tokens = {"operator": people.first_operator(db, keyring, "operator", "Operator")}
    operator = people.authenticate(db, keyring, tokens["operator"])
    for name, role in (("steward", "steward"), ("officer", "officer")):
        tokens[name] = people.add(db, keyring, permissions, operator, name, name.title(), [role])
    behind = found(place)
    message = gap_message(behind.seen, behind.actual, behind.lines)
    for name, counts in (("steward", False), ("officer", True)):
        signature = people.authenticate(db, keyring, tokens[name]).sign(message, tokens[name])
        accept_gap(db, Gap(behind.seen, behind.actual, behind.lines, name, signature), "a disk was lost")
        assert (accepted_gap(db, keyring, behind) is not None) is counts
    assert accepted_gap(db, keyring, replace(behind, lines=behind.lines + 1)) is None
    db.dispose()


def test_the_witness_may_be_on_another_disk_and_must_be_there(place: Place, yesterday: Path, tmp_path: Path) -> None:
    assert not (place.home / "witness" / HEADS).exists() and (tmp_path / "other-disk" / HEADS).exists()
    (tmp_path / "other-disk").rename(tmp_path / "unmounted")
    with pytest.raises(NotFound) as refused:
        Ledger.of(place)
    assert "other-disk" in refused.value.words()


def test_the_setting_names_the_other_disk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text('witness_path = "/mnt/witness"\n')
    assert Settings.load(home, {}).place.witness == Path("/mnt/witness")
    assert Settings.load(home, {"ENCLAVE_WITNESS": ""}).place.witness == home / "witness"
    with pytest.raises(EnclaveError, match="absolute"):
        Settings.load(home, {"ENCLAVE_WITNESS": "witness"})
