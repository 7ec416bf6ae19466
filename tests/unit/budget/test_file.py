"""Connections that are kept to look with show what is durable, write nothing, and are gone when the ledger is closed."""

from __future__ import annotations

import sqlite3

import pytest

from enclave.budget import Amount, Charge, Ledger, Share, population, project
from enclave.errors import Tampered
from enclave.store import Place

P = project("p")
CHARGE = Charge((Share(population("cn"), Amount(10)), Share(P, Amount(10))))


def spent(ledger: Ledger) -> Amount:
    with ledger.snapshot() as seen:
        return seen.balances([P])[0].spent


def test_a_kept_connection_shows_what_was_written_since(ledger: Ledger) -> None:
    assert spent(ledger) == Amount(0)
    ledger.reserve(CHARGE)
    assert spent(ledger) == Amount(10)
    assert len(ledger._readers._idle) == 1, "the control: it is the same connection"


def test_one_snapshot_agrees_with_itself_whatever_is_written_beside_it(ledger: Ledger) -> None:
    with ledger.snapshot() as seen:
        before = seen.balances([P])
        ledger.reserve(CHARGE)
        assert seen.balances([P]) == before
        assert spent(ledger) == Amount(10), "the control: another one sees it"


def test_only_accounts_that_are_open_have_a_balance(ledger: Ledger) -> None:
    with ledger.snapshot() as seen:
        assert [balance.account for balance in seen.balances([project("q"), P])] == [P]


def test_nothing_is_written_through_it_and_what_failed_is_not_kept(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"), ledger.snapshot() as seen:
        seen.connection.execute("DELETE FROM accounts")
    assert ledger._readers._idle == []
    with pytest.raises(Tampered), ledger.snapshot():
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert spent(ledger) == Amount(0)


def test_a_closed_ledger_leaves_no_connection_behind(ledger: Ledger, place: Place) -> None:
    log = place.ledger.with_name(place.ledger.name + "-wal")
    with ledger.snapshot() as seen:
        before = seen.balances([P])
        ledger.reserve(CHARGE)
        ledger.close()
        assert log.exists(), "the control: one is still in use"
        assert seen.balances([P]) == before
    assert ledger._readers._idle == []
