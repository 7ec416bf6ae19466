"""Attack: edit ledger.db so that less was spent, more may be, or another answer was given.

Each edit leaves the tables agreeing with one another: the control shows that adding up the rows finds nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.audit import Head, canonical, link
from enclave.audit.chain import GENESIS
from enclave.budget import Amount, Charge, Ledger, Share, project, verify, verify_checkpoints
from enclave.budget.entries import body
from enclave.errors import Tampered
from enclave.store import Keyring, Place

P = project("p")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home")
    place.make()
    keyring = Keyring(place)
    keyring.create()
    with Ledger.of(place) as ledger:
        ledger.open_account(P, Amount(100), actor="officer")
        for number in range(3):
            reserved = ledger.reserve(Charge((Share(P, Amount(30)),), {"run": f"run_{number}"}))
            ledger.settle(reserved, answer_key=f"k{number}", answer=b"42")
        ledger.freeze(P, actor="officer", why="look")
        ledger.checkpoint(Head(1, "a" * 64), keyring.sign)
    return place


def naive_check(db: sqlite3.Connection) -> bool:
    """What a ledger without a chain can ask: do the rows add up to the balances, and do these stay under the cap?"""
    details = [json.loads(d) for (d,) in db.execute("SELECT detail FROM entries WHERE kind = 'reserved'")]
    total = sum(share[2] for d in details for share in d["shares"])
    spent, cap = db.execute("SELECT spent_rho, cap_rho FROM accounts").fetchone()
    return bool(total == spent <= cap)


def edit_entry(db: sqlite3.Connection, seq: int, old: str, new: str) -> None:
    (detail,) = db.execute("SELECT detail FROM entries WHERE seq = ?", (seq,)).fetchone()
    assert old in detail
    db.execute("UPDATE entries SET detail = ? WHERE seq = ?", (detail.replace(old, new), seq))


def cheaper_reservation(db: sqlite3.Connection) -> None:
    edit_entry(db, 4, '"p",30,0', '"p",1,0')
    db.execute("UPDATE accounts SET spent_rho = spent_rho - 29")


def higher_cap(db: sqlite3.Connection) -> None:
    edit_entry(db, 1, "[100,0]", "[100000,0]")
    db.execute("UPDATE accounts SET cap_rho = 100000")


def last_reservation_gone(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM entries WHERE seq IN (6, 7)")
    db.execute("DELETE FROM reservations WHERE seq = 6")
    db.execute("DELETE FROM answers WHERE reservation = 6")
    db.execute("UPDATE accounts SET spent_rho = spent_rho - 30")


def another_run_asked(db: sqlite3.Connection) -> None:
    edit_entry(db, 2, "run_0", "run_9")


def nobody_froze_it(db: sqlite3.Connection) -> None:
    db.execute("UPDATE entries SET kind = 'opened', detail = replace(detail, 'look', '') WHERE seq = 8")
    db.execute("UPDATE accounts SET frozen_at = 0")


EDITS = [cheaper_reservation, higher_cap, last_reservation_gone, another_run_asked, nobody_froze_it]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_that_adds_up_breaks_the_chain(place: Place, edit: Callable[[sqlite3.Connection], None]) -> None:
    with sqlite3.connect(place.ledger) as db:
        edit(db)
        assert naive_check(db), "the control: without the chain nobody notices"
    db.close()
    with pytest.raises(Tampered) as refused:
        verify(place.ledger)
    assert refused.value.code == "audit.chain_broken"
    with pytest.raises(Tampered):
        Ledger.of(place)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE accounts SET spent_rho = 0", "budget.balance_differs"),
        ("UPDATE accounts SET cap_rho = 101", "budget.balance_differs"),
        ("UPDATE accounts SET frozen_at = 0", "budget.balance_differs"),
        ("UPDATE accounts SET kind = 'nobody'", "budget.balance_differs"),
        ("DELETE FROM accounts", "budget.balance_differs"),
        ("INSERT INTO accounts VALUES ('project', 'q', 9, 0, 0, 0, 0, 0, 1, 0, 0)", "budget.balance_differs"),
        ("UPDATE reservations SET state = 'reserved', ended = NULL", "budget.reservation_differs"),
        ("DELETE FROM reservations WHERE seq = 2", "budget.reservation_differs"),
    ],
)
def test_a_balance_that_does_not_follow_from_the_chain_is_refused(place: Place, statement: str, code: str) -> None:
    with sqlite3.connect(place.ledger) as db:
        db.execute(statement)
    db.close()
    with pytest.raises(Tampered) as refused:
        verify(place.ledger)
    assert refused.value.code == code
    with pytest.raises(Tampered):
        Ledger.of(place)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET answer = x'00' WHERE reservation = 2",
        "UPDATE answers SET key = 'k1' WHERE reservation = 2",
        "UPDATE answers SET settled = 5 WHERE reservation = 2",
        "UPDATE answers SET project = 'q' WHERE reservation = 2",
    ],
)
def test_an_altered_stored_answer_is_never_given(place: Place, statement: str) -> None:
    with sqlite3.connect(place.ledger) as db:
        db.execute(statement)
    db.close()
    with pytest.raises(Tampered, match="stored answer"):
        verify(place.ledger)
    if "project" in statement:
        return  # who paid is checked by `verify`; the bytes are the same
    with Ledger.of(place) as ledger, pytest.raises(Tampered, match="stored answer"):
        ledger.find_answer("k1" if "'k1'" in statement else "k0")


def chain_anew(db: sqlite3.Connection) -> None:
    """What an attacker who knows the chain does after an edit: hash everything again."""
    previous = GENESIS
    for seq, at, kind, detail in db.execute("SELECT seq, at, kind, detail FROM entries ORDER BY seq").fetchall():
        digest = link(previous, body(at, kind, detail))
        db.execute("UPDATE entries SET previous = ?, hash = ? WHERE seq = ?", (previous, digest, seq))
        previous = digest


def test_a_chain_hashed_anew_differs_from_what_the_home_signed(place: Place) -> None:
    with sqlite3.connect(place.ledger) as db:
        cheaper_reservation(db)
        chain_anew(db)
    db.close()
    verify(place.ledger)  # the control: a chain alone does not stop whoever can hash
    with pytest.raises(Tampered) as refused:
        verify_checkpoints(place.ledger, Keyring(place).verify)
    assert refused.value.code == "audit.checkpoint_differs"
    with pytest.raises(Tampered) as behind:
        Ledger.of(place)
    assert behind.value.code == "budget.behind_witness"


def test_an_act_the_rules_refuse_is_found_even_in_a_whole_chain(place: Place) -> None:
    with sqlite3.connect(place.ledger) as db:
        edit_entry(db, 4, '"p",30,0', '"p",80,0')  # above the cap: no broker wrote this
        chain_anew(db)
    db.close()
    with pytest.raises(Tampered) as refused:
        verify(place.ledger)
    assert (refused.value.code, refused.value.facts["seq"]) == ("budget.entry_unlawful", 4)


def test_a_raise_nobody_signed_is_found_even_in_a_whole_chain(place: Place) -> None:
    with sqlite3.connect(place.ledger) as db:
        forged = {"from": [100, 0], "to": [900, 0], "officer": "o", "public_key": "00" * 32, "signature": "00" * 64}
        detail = canonical({"account": ["project", "p"], **forged}).decode()
        db.execute("INSERT INTO entries VALUES (9, 'now', 'raised', ?, '', '')", (detail,))
        db.execute("UPDATE accounts SET cap_rho = 900")
        chain_anew(db)
    db.close()
    with pytest.raises(Tampered) as refused:
        verify(place.ledger)
    assert (refused.value.code, refused.value.facts["seq"]) == ("budget.entry_unlawful", 9)


def test_the_table_itself_refuses_a_balance_above_its_cap(place: Place) -> None:
    with sqlite3.connect(place.ledger) as db, pytest.raises(sqlite3.IntegrityError, match="rho_within_cap"):
        db.execute("UPDATE accounts SET spent_rho = 101")
    db.close()
