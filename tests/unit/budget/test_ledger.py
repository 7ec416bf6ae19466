"""What the broker asks of its ledger, and what it is answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from enclave.audit import Head
from enclave.budget import (
    Amount,
    Charge,
    Ledger,
    Share,
    balances,
    history,
    population,
    project,
    raise_message,
    researcher,
    thaw_message,
    verify,
)
from enclave.errors import BadInput, Incident, NotFound, Refused
from enclave.store import Place
from enclave.store.keyring import new_signing_key, sign_with

CN, P, M = population("cn"), project("p"), researcher("p", "m")
PRIVATE, _ = new_signing_key()


def charge(rho: int = 10, *, project_name: str = "p", to_population: int | None = None) -> Charge:
    asked = project(project_name)
    paid = rho if to_population is None else to_population
    return Charge((Share(CN, Amount(paid)), Share(asked, Amount(rho))), {"run": "run_1"})


def test_opening_again_with_the_same_cap_is_the_same_account(ledger: Ledger) -> None:
    before = ledger.head()
    assert ledger.open_account(P, Amount(100, 10), actor="officer").opened == 2
    assert ledger.head() == before


def test_opening_again_with_another_cap_is_refused_until_an_officer_raises_it(ledger: Ledger) -> None:
    old, new = Amount(100, 10), Amount(200, 10)
    with pytest.raises(Refused, match="signed raise"):
        ledger.open_account(P, new, actor="officer")
    signature = sign_with(PRIVATE, raise_message(P, old, new))
    assert ledger.raise_cap(P, old, new, officer="o", signature=signature).cap == new
    ledger.open_account(P, new, actor="officer")
    ledger.open_account(P, old, actor="officer")
    with pytest.raises(Refused):
        ledger.open_account(P, Amount(150, 10), actor="officer")


def test_a_reservation_carries_the_head_of_its_own_entry(ledger: Ledger, place: Place) -> None:
    first, second = ledger.reserve(charge()), ledger.reserve(charge())
    assert second.seq == first.seq + 1
    stored = {e.seq: e.hash for e in history(place)}
    assert all(r.head == Head(r.seq, stored[r.seq]) for r in (first, second))


def test_a_recheck_that_raises_refuses_and_nothing_is_spent(ledger: Ledger) -> None:
    def revoked() -> None:
        raise Refused("budget.frozen", kind="project", name="p", seq=1)

    before = ledger.head()
    with pytest.raises(Refused, match="frozen"):
        ledger.reserve(charge(), revoked)
    assert ledger.head() == before
    assert ledger.balance(P).spent == Amount(0)


def test_a_recheck_runs_only_when_every_cap_holds(ledger: Ledger) -> None:
    ran: list[int] = []
    with pytest.raises(Refused):
        ledger.reserve(charge(101), lambda: ran.append(1))
    assert ran == []


@pytest.mark.parametrize("leave", [SystemExit, KeyboardInterrupt, RuntimeError])
def test_whatever_a_recheck_raises_the_ledger_goes_on(ledger: Ledger, leave: type[BaseException]) -> None:
    def gone() -> None:
        raise leave

    with pytest.raises(leave):
        ledger.reserve(charge(), gone)
    assert ledger.reserve(charge()).seq == 4


def test_a_recheck_that_waits_for_the_ledger_is_told_so(ledger: Ledger) -> None:
    def waiting() -> None:
        ledger.head()

    with pytest.raises(RuntimeError, match="waits for the committer"):
        ledger.reserve(charge(), waiting)


def test_settling_twice_is_settling_once(ledger: Ledger) -> None:
    reservation = ledger.reserve(charge())

    def settle(answer: bytes = b"42") -> Head:
        return ledger.settle(reservation, answer_key="k", answer=answer, what={"rows": 3})

    head = settle()
    ledger.reserve(charge())
    assert settle() == head
    with pytest.raises(Refused, match="settled otherwise"):
        settle(b"43")
    with pytest.raises(Refused):
        ledger.settle(99, answer_key="k", answer=b"42")


def test_a_settled_reservation_stays_spent(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(charge()), answer_key="k", answer=None, incident=False)
    assert ledger.balance(P).spent == Amount(10)
    assert ledger.find_answer("k") is None, "a settlement without an answer stores none"


def test_a_stored_answer_is_found_by_key_and_project(ledger: Ledger) -> None:
    ledger.open_account(project("q"), Amount(100), actor="officer")
    assert ledger.find_answer("k") is None
    first = ledger.settle(ledger.reserve(charge()), answer_key="k", answer=b"\x00noisy", what={"columns": "n"})
    found = ledger.find_answer("k")
    assert found is not None
    assert (found.project, found.answer, found.head, found.what) == ("p", b"\x00noisy", first, {"columns": "n"})
    assert ledger.find_answer("k", project="q") is None
    # across projects the project pays as if new, the population does not
    again = ledger.reserve(charge(project_name="q", to_population=0))
    ledger.settle(again, answer_key="k", answer=found.answer)
    assert ledger.projects_holding("k") == ["p", "q"]
    assert ledger.balance(CN).spent == Amount(10)
    assert ledger.balance(project("q")).spent == Amount(10)


def test_an_incident_freezes_the_project_until_an_officer_signs(ledger: Ledger, place: Place) -> None:
    reservation = ledger.reserve(charge())
    ledger.settle(reservation, answer_key="k", answer=None, incident=True)
    with pytest.raises(Refused, match="frozen"):
        ledger.reserve(charge())
    balance = ledger.balance(P)
    signature = sign_with(PRIVATE, thaw_message(P, balance.frozen_at))
    assert ledger.thaw(P, balance.frozen_at, officer="o", signature=signature).incidents == 1
    ledger.reserve(charge())
    assert not ledger.balance(CN).frozen, "the register serves other projects"
    verify(place.ledger)


def test_freeze_stops_an_account_and_says_who_and_why(ledger: Ledger, place: Place) -> None:
    assert ledger.freeze(CN, actor="officer", why="audit").frozen
    with pytest.raises(Refused):
        ledger.reserve(charge())
    assert history(place)[-1].detail == {"account": ["population", "cn"], "actor": "officer", "why": "audit"}


def test_a_reservation_found_open_at_start_is_lost_and_stays_spent(ledger: Ledger, place: Place) -> None:
    reservation = ledger.reserve(charge())
    ledger.close()
    with Ledger.of(place) as again:
        assert again.balance(P).spent == Amount(10)
        assert history(place)[-1].kind == "lost"
        with pytest.raises(Refused, match="lost in a crash"):
            again.settle(reservation, answer_key="k", answer=b"late")
    with Ledger.of(place) as once_more:
        assert once_more.head().seq == reservation.seq + 1


def test_one_process_writes(ledger: Ledger, place: Place) -> None:
    with pytest.raises(Refused, match="Another process"):
        Ledger.of(place)
    ledger.close()
    Ledger.of(place).close()


def test_a_closed_ledger_says_so_and_closes_twice(ledger: Ledger) -> None:
    ledger.close()
    ledger.close()
    with pytest.raises(Incident, match="closed"):
        ledger.reserve(charge())


@pytest.mark.parametrize("read", [balances, history, lambda place: verify(place.ledger)])
def test_reading_where_there_is_no_ledger_says_what_to_do(place: Place, read: Callable[[Place], object]) -> None:
    with pytest.raises(NotFound, match="enclave init"):
        read(place)


def test_others_read_while_the_broker_writes(ledger: Ledger, place: Place) -> None:
    ledger.reserve(charge())
    assert [(str(b.kind), b.name, b.spent.nano_rho, b.frozen) for b in balances(place)] == [
        ("population", "cn", 10, False),
        ("project", "p", 10, False),
        ("researcher", "p/m", 0, False),
    ]
    assert [e.kind for e in history(place, since=3)] == ["reserved"]
    assert len(history(place, limit=2)) == 2


def test_facts_that_cannot_be_chained_refuse_that_charge_alone(ledger: Ledger) -> None:
    with pytest.raises(UnicodeEncodeError):
        ledger.reserve(Charge((Share(P, Amount(1)),), {"x": "\ud800"}))
    with pytest.raises(BadInput):
        ledger.settle(ledger.reserve(charge()), answer_key="k", answer=b"", what={"x": 0.5})  # type: ignore[dict-item]
    assert ledger.balance(P).spent == Amount(10)
