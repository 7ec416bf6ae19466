"""The δ of each draw of unlisted keys is charged in full, to every account, and never topped up (U2, S1)."""

from __future__ import annotations

import pytest
from tests.attacks.asked import Door, granted_to, numbers

from enclave.broker.caps import atto, read_caps
from enclave.broker.report import report
from enclave.budget import AccountKind, project
from enclave.catalogue import find
from enclave.errors import BadInput, Refused
from enclave.query import prepare

FOUND = "SELECT dx_code, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dx_code"
KINDS = (AccountKind.POPULATION, AccountKind.PROJECT, AccountKind.RESEARCHER)


def spent(door: Door) -> list[int]:
    projects = {AccountKind.POPULATION: None}
    return [door.balance(kind, projects.get(kind, door.living.project)).spent.atto_delta for kind in KINDS]


def test_a_draw_of_keys_costs_its_delta_in_every_account_each_time(door: Door) -> None:
    price = prepare(FOUND, find(door.living.db, "hospital"), "40").atto_delta
    assert 0 < price <= 10**9
    first = door.ask(FOUND, "40")
    assert first.head.keys_delta_spent == price / 10**18
    assert spent(door) == [price] * 3
    keys = numbers(first)["dx_code"]
    assert keys and keys == sorted(keys), "2,000 visits under a wide budget show some"
    again = door.ask(FOUND, "40")
    assert (again.body, again.head.keys_delta_spent) == (first.body, 0.0)
    assert spent(door) == [price] * 3, "the same bytes are free"
    sharper = door.ask(FOUND, "80")
    assert sharper.head.rho_spent == sharper.head.quote.rho, "never the difference alone"
    assert spent(door)[0] > price
    door.ask("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept", "1")
    assert spent(door)[0] == spent(door)[1] > price, "listed keys cost no δ"
    told = report(door.living.place, project(door.living.project), {}, "1e-6").totals()
    assert told["keys_delta"] == spent(door)[1] / 10**18
    assert isinstance(told["epsilon_pld"], float) and isinstance(told["epsilon"], float)
    assert 0 < told["epsilon_pld"] < told["epsilon"], "both hold at δ and the δ of keys together"
    door.ask("SELECT MEDIAN(los_days) AS m FROM visits", "1")
    assert report(door.living.place, project(door.living.project), {}, "1e-6").epsilon_pld is None, "no Gaussian"


def test_another_project_pays_its_own_delta_for_the_same_bytes_and_the_persons_do_not(door: Door) -> None:
    first = door.ask(FOUND, "40")
    other = granted_to(door.living, "stranger")
    second = door.ask(FOUND, "40", project=other, member="stranger")
    assert second.body == first.body
    assert door.balance(AccountKind.PROJECT, other).spent.atto_delta == spent(door)[1] == spent(door)[0]


def test_without_delta_left_keys_are_refused_in_words_and_nothing_is_charged(door: Door) -> None:
    text = (door.living.place.policies / "budget.toml").read_text().replace('project = "1e-7"', 'project = "5e-10"')
    poor = read_caps(text)
    object.__setattr__(door.asking, "caps", poor)
    with pytest.raises(Refused) as refused:
        door.ask(FOUND, "40")
    assert refused.value.code == "budget.keys_exhausted"
    assert "keys-delta" in refused.value.words("en") and refused.value.words("zh")
    assert spent(door) == [0, 0, 0]
    assert door.balance(AccountKind.PROJECT, door.living.project).spent.nano_rho == 0
    assert door.ask("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept", "1").head.rho_spent > 0


@pytest.mark.parametrize("keys_delta", ["NaN", "-1e-7", "1", "inf", "much"])
def test_a_policy_that_is_no_delta_is_refused(keys_delta: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_caps(f'[registers.r]\nepsilon = "1"\ndelta = "1e-6"\nkeys_delta = "{keys_delta}"\n')
    assert refused.value.code == "broker.budget_policy_broken"
    with pytest.raises(BadInput):
        atto(keys_delta)


def test_a_project_may_not_have_more_than_the_register() -> None:
    with pytest.raises(BadInput):
        read_caps('[registers.r]\nepsilon = "1"\ndelta = "1e-6"\nkeys_delta = "1e-8"\nkeys_delta_project = "1e-7"\n')
    (caps,) = read_caps('[registers.r]\nepsilon = "1"\ndelta = "1e-6"\nkeys_delta = "1e-7"\n').values()
    assert caps.cap.atto_delta == 10**11
