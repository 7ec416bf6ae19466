"""Attack: declare a small price in a plan, spend a large one in its run. Control: the same run outside a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.attacks.asked import Door

from enclave.broker.asking import Allowance
from enclave.budget import AccountKind
from enclave.errors import Refused
from enclave.query import rho_for

COUNT, OTHER = "SELECT COUNT(*) AS n FROM patients", "SELECT COUNT(*) AS n FROM visits"


def test_a_run_of_a_plan_spends_no_more_than_it_declared(door: Door) -> None:
    plain = door.asker(door.living.project)
    held = replace(plain, allowance=Allowance(rho_for("0.5", "1e-6")))
    door.asking.ask(held, COUNT, "0.3")
    spent = door.balance(AccountKind.PROJECT, door.living.project).spent
    with pytest.raises(Refused) as refused:
        door.asking.ask(held, OTHER, "0.5")
    assert refused.value.code == "broker.run_exhausted"
    assert door.balance(AccountKind.PROJECT, door.living.project).spent == spent, "refused uncharged"
    door.asking.ask(held, COUNT, "0.3")  # what the project holds is free
    assert door.asking.ask(held, OTHER, "0.2").head.rho_spent > 0, "what is left is left"
    assert door.asking.ask(plain, OTHER, "0.5").head.rho_spent > 0, "the control"
