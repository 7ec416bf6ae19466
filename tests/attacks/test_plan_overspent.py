"""Attack: declare a small price in a plan, spend a large one in its run. Control: the same run outside a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.attacks.asked import Door, granted_to

from enclave.broker.asking import Allowance
from enclave.broker.lease import left_of
from enclave.budget import AccountKind, Amount, pure
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
    assert left_of(door.living.place, plain.run, pure(5 * 10**8)) == held.allowance, "of a run that starts again too"
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
