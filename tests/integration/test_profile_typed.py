"""A steward types `enclave profile`: the price first, then the purchase, then what was bought; a researcher sees it too."""

from __future__ import annotations

import pytest
from tests.integration.channels import broker, spent
from tests.living import Living, as_json

from enclave.budget import AccountKind, balances
from enclave.catalogue import find

EPSILON = ("--epsilon", "50")


def population(house: Living) -> int:
    return sum(b.spent.nano_rho for b in balances(house.place) if b.kind is AccountKind.POPULATION)


def test_price_purchase_and_what_was_bought(house: Living) -> None:
    nothing = house.cli("steward", "enclave", "profile", "hospital")
    assert nothing.returncode == 3 and "--epsilon 0.2 --quote" in nothing.stderr
    price = as_json(house.typed("steward", "enclave", "profile", "hospital", *EPSILON, "--quote", "--json"))
    assert price["fits"] is True and price["norms"] == 15 and price["variables"] > 20 and population(house) == 0
    said = house.typed("steward", "enclave", "profile", "hospital", *EPSILON, "--quote")
    assert "hospital_patients" in said.stdout and "ε = " in said.stdout
    with broker(house):
        done = house.typed("steward", "enclave", "profile", "hospital", *EPSILON)
        assert done.returncode == 0, done.stderr
        assert "Bought" in done.stdout and "norm_dept" in done.stdout
        again = house.typed("steward", "enclave", "profile", "hospital", *EPSILON)
        assert again.returncode == 3 and "profiled once" in again.stderr
    assert population(house) == price["rho"] and spent(house) == 0, "the register pays, no project"
    shown = as_json(house.typed("steward", "enclave", "profile", "hospital", "--json"))
    profile = find(house.db, "hospital").profile
    assert profile is not None and shown["digest"] == profile.digest and len(shown["norms"]) == 15
    report = as_json(house.typed("officer", "enclave", "budget", "report", "--register", "hospital_patients", "--json"))
    assert [line["rho"] for line in report[0]["lines"]] == [price["rho"]], "it stands in the register's report"


@pytest.mark.parametrize("who", ["researcher", "officer"])
def test_who_may_not_buy_is_told_who_may(house: Living, who: str) -> None:
    done = house.typed(who, "enclave", "profile", "hospital", *EPSILON)
    assert done.returncode == 3 and "Ask: data steward" in done.stderr
    assert population(house) == 0


@pytest.mark.parametrize("epsilon", ["-1", "a lot"])
def test_what_is_no_epsilon_is_bad_input(house: Living, epsilon: str) -> None:
    done = house.typed("steward", "enclave", "profile", "hospital", f"--epsilon={epsilon}", "--quote")
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_more_than_is_left_is_said_in_the_quote_and_refused(house: Living) -> None:
    price = as_json(house.typed("steward", "enclave", "profile", "hospital", "--epsilon=500", "--quote", "--json"))
    assert price["fits"] is False
    with broker(house):
        done = house.typed("steward", "enclave", "profile", "hospital", "--epsilon=500")
    assert done.returncode == 3 and population(house) == 0


def test_without_a_broker_it_says_so(house: Living) -> None:
    done = house.typed("steward", "enclave", "profile", "hospital", *EPSILON)
    assert done.returncode == 6 and "Traceback" not in done.stderr
