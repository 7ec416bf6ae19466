"""Attack: bring back yesterday's ledger and spend today's budget again (row 31, S8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from enclave.audit import Head
from enclave.budget import Amount, Charge, Ledger, Share, project, verify, verify_checkpoints
from enclave.budget.witness import HEADS
from enclave.errors import Tampered
from enclave.store import Keyring, Place

P = project("p")
ALL = Charge((Share(P, Amount(100)),))
PART = Charge((Share(P, Amount(1)),))
STATE = Head(1, "a" * 64)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home")
    place.make()
    Keyring(place).create()
    return place


@pytest.fixture
def yesterday(place: Place, tmp_path: Path) -> Path:
    """A copy of the ledger from before all was spent, and a witness that saw the spending."""
    with Ledger.of(place) as ledger:
        ledger.open_account(P, Amount(100), actor="officer")
        ledger.checkpoint(STATE, Keyring(place).sign)
    copy = tmp_path / "yesterday.db"
    shutil.copy(place.ledger, copy)
    with Ledger.of(place) as ledger:
        ledger.reserve(ALL)
        ledger.checkpoint(STATE, Keyring(place).sign)
    return copy


def restore(place: Place, copy: Path) -> None:
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (place.home / name).unlink(missing_ok=True)
    shutil.copy(copy, place.ledger)


def test_control_without_the_witness_the_budget_is_there_again(place: Place, yesterday: Path) -> None:
    restore(place, yesterday)
    verify(place.ledger)
    verify_checkpoints(place.ledger, Keyring(place).verify)
    with Ledger(place.ledger) as ledger:
        ledger.reserve(ALL)


def test_the_witness_refuses_an_older_copy_and_says_what_to_do(place: Place, yesterday: Path) -> None:
    restore(place, yesterday)
    with pytest.raises(Tampered) as refused:
        Ledger.of(place)
    assert refused.value.code == "budget.behind_witness"
    assert refused.value.facts["seen"] == 2
    for promise in ("fully spent", "Put back the ledger.db", "officer must sign the gap"):
        assert promise in refused.value.words()


def test_the_witness_refuses_an_older_copy_that_grew_past_it(place: Place, yesterday: Path) -> None:
    restore(place, yesterday)
    with Ledger(place.ledger) as blind:
        for _ in range(20):
            blind.reserve(PART)
    with pytest.raises(Tampered) as refused:
        Ledger.of(place)
    assert refused.value.code == "budget.behind_witness"


def test_the_true_ledger_put_back_opens_again(place: Place, yesterday: Path, tmp_path: Path) -> None:
    today = tmp_path / "today.db"
    with Ledger.of(place):
        pass
    shutil.copy(place.ledger, today)
    restore(place, yesterday)
    with pytest.raises(Tampered):
        Ledger.of(place)
    restore(place, today)
    with Ledger.of(place) as ledger:
        assert ledger.balance(P).left == Amount(0)


def test_a_ledger_started_anew_is_an_older_copy_too(place: Place, yesterday: Path) -> None:
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (place.home / name).unlink(missing_ok=True)
    with pytest.raises(Tampered) as refused:
        Ledger.of(place)
    assert refused.value.code == "budget.behind_witness"


def test_a_copy_slipped_in_under_a_running_broker_stops_it(place: Place, yesterday: Path) -> None:
    with Ledger.of(place) as ledger:
        restore(place, yesterday)
        with pytest.raises(Tampered) as refused:
            ledger.reserve(PART)
        assert refused.value.code == "budget.changed_underneath"


def test_a_tail_cut_off_shows_against_the_checkpoint_in_the_ledger_itself(place: Place, yesterday: Path) -> None:
    import sqlite3

    with sqlite3.connect(place.ledger) as db:
        db.execute("DELETE FROM entries WHERE seq > 1")
        db.execute("DELETE FROM reservations")
        db.execute("UPDATE accounts SET spent_rho = 0")
    db.close()
    verify(place.ledger)  # the control: what is left of the chain holds
    with pytest.raises(Tampered) as refused:
        verify_checkpoints(place.ledger, Keyring(place).verify, heads=place.witness / HEADS)
    assert refused.value.code == "audit.checkpoint_ahead"
