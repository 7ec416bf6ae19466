"""Attack: spend the same budget twice, by asking at once, from many accounts, or in another dataset's name.

Rows 28 and 29 of the attack table, S3 of the soundness notes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.budget import Amount, Charge, Ledger, Share, population, project, researcher
from enclave.errors import Refused
from enclave.store import Place

PRICE, CAP, SPENDERS = 10, 100, 16


def at_once(spend: Callable[[], bool]) -> int:
    """How many of SPENDERS threads that start together are granted."""
    together, grants = threading.Barrier(SPENDERS), list[bool]()

    def run() -> None:
        together.wait()
        grants.append(spend())

    threads = [threading.Thread(target=run) for _ in range(SPENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(grants)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make()
    return place


def test_asking_at_once_is_granted_no_more_than_the_cap(place: Place) -> None:
    with Ledger.of(place) as ledger:
        ledger.open_account(project("p"), Amount(CAP), actor="officer")

        def spend() -> bool:
            try:
                ledger.reserve(Charge((Share(project("p"), Amount(PRICE)),)))
            except Refused:
                return False
            return True

        assert at_once(spend) == CAP // PRICE
        assert ledger.balance(project("p")).spent == Amount(CAP)


def test_control_checking_and_then_writing_overspends(tmp_path: Path) -> None:
    file = tmp_path / "naive.db"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE spent (amount INTEGER)")
    db.close()
    all_have_looked = threading.Barrier(SPENDERS)

    def spend() -> bool:
        with sqlite3.connect(file, timeout=30) as db:
            spent = db.execute("SELECT coalesce(sum(amount), 0) FROM spent").fetchone()[0]
            all_have_looked.wait()  # the moment a scheduler may choose between look and write
            if spent + PRICE > CAP:
                return False
            db.execute("INSERT INTO spent VALUES (?)", (PRICE,))
        db.close()
        return True

    assert at_once(spend) * PRICE > CAP


def test_members_who_pool_their_shares_meet_the_project_and_the_population(place: Place) -> None:
    with Ledger.of(place) as ledger:
        ledger.open_account(population("cn"), Amount(250), actor="officer")
        for name in ("p", "q"):
            ledger.open_account(project(name), Amount(150), actor="officer")
            for member in ("a", "b", "c"):
                ledger.open_account(researcher(name, member), Amount(100), actor="officer")

        def ask(name: str, member: str) -> bool:
            accounts = (population("cn"), project(name), researcher(name, member))
            try:
                ledger.reserve(Charge(tuple(Share(account, Amount(PRICE)) for account in accounts)))
            except Refused:
                return False
            return True

        def ask_all(name: str) -> int:
            return sum(ask(name, member) for member in ("a", "b", "c") for _ in range(10))

        assert ask_all("p") == 15, "three shares of 100 in a project of 150"
        assert ask_all("q") == 10, "two projects of 150 in a population of 250"


def test_a_question_over_two_registers_is_charged_in_full_to_both(place: Place) -> None:
    with Ledger.of(place) as ledger:
        for register in ("hospital", "insurer"):
            ledger.open_account(population(register), Amount(CAP), actor="officer")
        both = Charge(tuple(Share(population(r), Amount(60)) for r in ("hospital", "insurer")))
        ledger.reserve(both)
        with pytest.raises(Refused):
            ledger.reserve(Charge((Share(population("insurer"), Amount(60)),)))
        with pytest.raises(Refused):
            ledger.reserve(both)
        assert ledger.balance(population("hospital")).spent == Amount(60)


def test_shelving_the_same_register_again_gives_no_new_budget(place: Place) -> None:
    with Ledger.of(place) as ledger:
        for _version in (1, 2):
            ledger.open_account(population("cn"), Amount(CAP), actor="steward", why="a version of hospital")
            try:
                ledger.reserve(Charge((Share(population("cn"), Amount(CAP)),)))
            except Refused as refused:
                assert refused.code == "budget.population_exhausted"
        assert ledger.balance(population("cn")).spent == Amount(CAP)
        with pytest.raises(Refused, match="signed raise"):
            ledger.open_account(population("cn"), Amount(2 * CAP), actor="steward")
