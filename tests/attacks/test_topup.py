"""Attack: pay twice little for what should cost much, or learn what another project asked from a price.

Control: the same question at the larger ρ without anything held pays all of it.
"""

from __future__ import annotations

from typing import Any

from tests.attacks.asked import Door, granted_to, numbers
from tests.attacks.test_incident_reused import broken_once, thawed

from enclave.broker.stored import unpack
from enclave.budget import AccountKind, verify

SQL = "SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits GROUP BY dept"
PROJECT, POPULATION = AccountKind.PROJECT, AccountKind.POPULATION


def spent(door: Door, kind: AccountKind, project: str | None = None) -> int:
    return door.balance(kind, project).spent.nano_rho


def due(door: Door, epsilon: str, **who: Any) -> int:
    found = door.asking.quote(door.asker(**{"project": door.living.project, **who}), SQL, epsilon).rho_due
    assert found is not None
    return found


def test_a_sharper_question_pays_the_difference_and_is_as_good_as_a_new_one(door: Door) -> None:
    first = door.ask(SQL, "10")
    whole = first.head.rho_spent
    expected = due(door, "40")
    more = door.ask(SQL, "40")
    assert more.head.rho_spent == expected == more.head.quote.rho_due
    assert expected < more.head.quote.rho
    assert abs(whole + expected - more.head.quote.rho) <= 1 + more.head.quote.rho // 1_000
    assert whole + expected <= more.head.quote.rho
    assert spent(door, PROJECT, door.living.project) == spent(door, POPULATION) == whole + expected
    control = door.ask(SQL, "40", project=granted_to(door.living, "stranger"), member="stranger")
    assert control.head.rho_spent == more.head.quote.rho
    assert more.body == control.body, "the stored answer of the same question, for which the population pays nothing"
    assert spent(door, POPULATION) == whole + expected
    verify(door.living.place.ledger)


def test_the_error_shrinks_and_the_error_bars_say_so(door: Door) -> None:
    rough, sharp = numbers(door.ask(SQL, "1")), numbers(door.ask(SQL, "100"))
    assert max(sharp["n_se"]) < min(rough["n_se"]) / 5
    new = numbers(door.ask(SQL.replace(" AS n", " AS m"), "100"))  # the control: never asked before
    assert 0.99 < sharp["n_se"][0] / new["m_se"][0] < 1.01
    assert all(abs(a - b) < 12 * max(new["m_se"]) for a, b in zip(sharp["n"], new["m"], strict=True))


def test_a_coarser_question_is_answered_by_the_sharper_bytes_for_nothing(door: Door) -> None:
    sharp = door.ask(SQL, "20")
    before = spent(door, PROJECT, door.living.project)
    assert due(door, "5") == 0
    coarse = door.ask(SQL, "5")
    assert (coarse.body, coarse.head.rho_spent, coarse.head.answer) == (sharp.body, 0, sharp.head.answer)
    assert spent(door, PROJECT, door.living.project) == before


def test_three_steps_cost_one_target(door: Door) -> None:
    paid = [door.ask(SQL, epsilon).head.rho_spent for epsilon in ("5", "15", "45")]
    target = door.asking.quote(door.asker(door.living.project), SQL, "45").rho
    assert sum(paid) <= target <= sum(paid) + 2 + target // 1_000
    assert due(door, "45") == 0


def test_what_another_project_holds_changes_no_price_of_mine(door: Door) -> None:
    door.ask(SQL, "10")
    other: dict[str, Any] = {"project": granted_to(door.living, "stranger"), "member": "stranger"}
    assert due(door, "40", **other) == door.asking.quote(door.asker(**other), SQL, "40").rho
    assert door.ask(SQL, "40", **other).head.rho_spent == door.asking.quote(door.asker(**other), SQL, "40").rho


def test_a_topped_up_answer_is_drawn_anew_even_where_another_project_holds_the_target(door: Door) -> None:
    other: dict[str, Any] = {"project": granted_to(door.living, "stranger"), "member": "stranger"}
    theirs = door.ask(SQL, "40", **other)
    mine = door.ask(SQL, "10")
    population = spent(door, POPULATION)
    more = door.ask(SQL, "40")
    assert more.head.rho_spent < more.head.quote.rho and more.body != theirs.body
    assert spent(door, POPULATION) == population + more.head.rho_spent, (
        "new noise over the persons is paid by the persons"
    )
    assert spent(door, PROJECT, door.living.project) == mine.head.rho_spent + more.head.rho_spent


def test_an_answer_of_zeros_is_never_added_to(door: Door) -> None:
    broken_once(door)
    thawed(door)
    again = "SELECT COUNT(*) AS n FROM visits"
    assert door.ask(again, "200").head.rho_spent == door.asking.quote(door.asker(door.living.project), again, "200").rho


def test_the_noisy_totals_stay_with_the_broker(door: Door) -> None:
    answered = door.ask(SQL, "10")
    stored = door.ledger.find_answer(answered.head.answer)
    assert stored is not None
    body, held = unpack(stored.answer)
    assert body == answered.body and held is not None and len(held.mechanisms) == 3
    assert stored.answer != answered.body and b"DMA1" not in answered.body
