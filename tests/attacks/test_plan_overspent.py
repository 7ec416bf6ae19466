"""Attack: declare a small price in a plan, spend a large one in its run. Control: the same run outside a plan."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from tests.attacks.asked import Door, granted_to

from enclave.broker.asking import Allowance
from enclave.broker.lease import left_of
from enclave.budget import AccountKind, Amount, Charge, Share, charges, project, pure
from enclave.errors import Refused
from enclave.query import rho_for

COUNT, OTHER = "SELECT COUNT(*) AS n FROM patients", "SELECT COUNT(*) AS n FROM visits"


def test_a_run_of_a_plan_spends_no_more_than_it_declared(door: Door) -> None:
    plain = door.asker(door.living.project)
    held = replace(plain, allowance=Allowance(Amount(rho_for("0.5", "1e-6"))))
    door.asking.ask(held, COUNT, "0.3")
    spent = door.balance(AccountKind.PROJECT, door.living.project).spent
    with pytest.raises(Refused) as refused:
        door.asking.ask(held, OTHER, "0.5")
    assert refused.value.code == "broker.run_exhausted"
    assert door.balance(AccountKind.PROJECT, door.living.project).spent == spent, "refused uncharged"
    door.asking.ask(held, COUNT, "0.3")  # what the project holds is free
    assert door.asking.ask(held, OTHER, "0.2").head.rho_spent > 0, "what is left is left"
    assert door.asking.ask(plain, OTHER, "0.5").head.rho_spent > 0, "the control"


def test_nor_does_one_in_pure_epsilon_whatever_it_costs_the_register(door: Door) -> None:
    purely = granted_to(door.living, "stranger", pure=True, epsilon_project="1", epsilon_researcher="1")
    plain = door.asker(purely, "stranger")
    held = replace(plain, allowance=Allowance(pure(5 * 10**8)))
    assert 0.2999 < door.asking.ask(held, COUNT, "0.3").head.epsilon_spent <= 0.3
    spent = door.balance(AccountKind.PROJECT, purely).spent
    assert held.allowance == Allowance(pure(5 * 10**8 - spent.nano_epsilon)), "to the unit"
    assert left_of(door.living.place, door.ledger, plain.run, pure(5 * 10**8)) == held.allowance, (
        "of a run that starts again too"
    )
    with pytest.raises(Refused) as refused:
        door.asking.ask(held, OTHER, "0.21")
    assert refused.value.code == "broker.run_exhausted"
    assert door.balance(AccountKind.PROJECT, purely).spent == spent, "refused uncharged"
    assert door.asking.ask(held, OTHER, "0.2").head.epsilon_spent == pytest.approx(0.2, rel=1e-3)
    assert door.asking.ask(plain, OTHER, "0.4").head.epsilon_spent > 0, "the control"


@pytest.mark.parametrize("is_pure", [True, False], ids=["pure asks", "ρ asks"])
def test_what_was_declared_in_one_measure_buys_nothing_in_the_other(door: Door, is_pure: bool) -> None:
    purely = granted_to(door.living, "stranger", pure=is_pure, epsilon_project="1", epsilon_researcher="1")
    declared = Amount(10**12) if is_pure else pure(10**12)
    held = replace(door.asker(purely, "stranger"), allowance=Allowance(declared))
    with pytest.raises(Refused) as refused:
        door.asking.ask(held, COUNT, "0.1")
    assert refused.value.code == "broker.run_exhausted"


def test_nor_while_its_run_changes_hands(door: Door) -> None:
    """A charge that was asked under the old lease and is not on the disk yet is counted by whoever has the new one."""
    door.asking.ask(door.asker(door.living.project), COUNT, "0.1")  # which opens the account
    run, declared, price = "run_00000000000000c4", Amount(5_000), Amount(1_000)
    charge = Charge((Share(project(door.living.project), price),), {"run": run})
    underway, go_on = threading.Event(), threading.Event()
    found: list[Allowance] = []

    def checked() -> None:
        underway.set()
        go_on.wait(30)

    old = threading.Thread(target=lambda: door.ledger.reserve(charge, checked))
    new = threading.Thread(target=lambda: found.append(left_of(door.living.place, door.ledger, run, declared)))
    old.start()
    assert underway.wait(30)
    assert not list(charges(door.living.place, "run", run)), "the control: who reads now finds nothing"
    new.start()
    new.join(0.2)
    assert new.is_alive(), "it waits for what is underway"
    go_on.set()
    for thread in (old, new):
        thread.join(30)
    assert found == [Allowance(Amount(4_000))]
