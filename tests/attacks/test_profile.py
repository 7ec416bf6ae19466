"""Attack: buy a profile without the right to, twice, for nothing, or at another's cost; edit what was bought; learn from
it who is there without paying.

Control: the steward's own purchase, charged in full to the register, once.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from tests.attacks.asked import Door, granted_to, numbers

from enclave.broker.caps import read_caps
from enclave.broker.engines import Opening
from enclave.broker.purchase import ACT, Shop, buy, purchase_key, purchase_message
from enclave.budget import AccountKind, history, population, verify
from enclave.catalogue import Dataset, find, open_key
from enclave.errors import EnclaveError, Incident, Refused, Tampered
from enclave.query import portrayed, prepare

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
ALL_VISITS = "SELECT COUNT(*) AS n FROM visits"
EPSILON = "100"  # two hundred persons drown in the noise of a real price


def shop(door: Door) -> Shop:
    living = door.living
    caps = read_caps((living.place.policies / "budget.toml").read_text())
    return Shop(living.db, living.keyring, door.ledger, door.extracts, door.asking.turns, caps)


def order(door: Door, who: str = "steward", epsilon: str = EPSILON, **changes: Any) -> dict[str, Any]:
    """What `enclave profile` says to the broker."""
    dataset, member = find(door.living.db, "hospital"), door.living.member(who)
    signature = member.sign(purchase_message(portrayed(dataset, epsilon)), door.living.tokens[who])
    return {
        "act": ACT,
        "dataset": dataset.name,
        "version": dataset.version,
        "epsilon": epsilon,
        "steward": who,
        "public_key": signature.public_key,
        "signature": signature.value,
        **changes,
    }


def bought(door: Door) -> Dataset:
    return buy(shop(door), order(door))


def population_spent(door: Door) -> int:
    found = [b for b in [door.balance(AccountKind.POPULATION)] if b.account == population("hospital_patients")]
    return found[0].spent.nano_rho


def test_a_stewards_purchase_is_charged_in_full_once_and_becomes_the_dictionary(door: Door) -> None:
    price = portrayed(find(door.living.db, "hospital"), EPSILON).rho
    made = bought(door)
    assert population_spent(door) == price
    assert made.profile is not None and made == find(door.living.db, "hospital")
    open_key(door.living.place, door.living.keyring, made)
    (event,) = [e for e in door_events(door) if e["kind"] == "extract.profiled"]
    assert json.loads(event["detail"])["profile"] == made.profile.digest and event["actor"] == "steward"
    verify(door.living.place.ledger)


def door_events(door: Door) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
        state.row_factory = sqlite3.Row
        return [dict(row) for row in state.execute("SELECT kind, actor, detail FROM events ORDER BY seq")]


@pytest.mark.parametrize("who", ["researcher", "officer", "auditor", "operator"])
def test_nobody_but_a_steward_buys(door: Door, who: str) -> None:
    with pytest.raises(Refused) as refused:
        buy(shop(door), order(door, who))
    assert refused.value.code == "profile.no_steward"
    assert nothing_happened(door)


def nothing_happened(door: Door) -> bool:
    kinds = [entry.kind for entry in history(door.living.place)]
    return "reserved" not in kinds and find(door.living.db, "hospital").profile is None


@pytest.mark.parametrize(
    "changes",
    [{"epsilon": "200"}, {"steward": "officer"}, {"signature": "00" * 64}, {"public_key": "11" * 32}],
    ids=["another price", "another name", "no signature", "another key"],
)
def test_what_the_steward_did_not_sign_is_not_bought(door: Door, changes: dict[str, Any]) -> None:
    with pytest.raises(EnclaveError):
        buy(shop(door), order(door) | changes)
    assert nothing_happened(door)


@pytest.mark.parametrize("missing", ["dataset", "version", "epsilon", "steward", "signature"])
def test_half_an_order_is_bad_input(door: Door, missing: str) -> None:
    said = order(door)
    del said[missing]
    with pytest.raises(EnclaveError):
        buy(shop(door), said)
    assert nothing_happened(door)


def test_a_version_is_profiled_once(door: Door) -> None:
    said = order(door)
    buy(shop(door), said)
    spent = population_spent(door)
    for again in (said, order(door, epsilon="150")):
        with pytest.raises(Refused) as refused:
            buy(shop(door), again)
        assert refused.value.code == "profile.bought"
    assert population_spent(door) == spent


def test_more_than_the_register_has_left_is_refused_before_anything_opens(door: Door) -> None:
    with pytest.raises(Refused):
        buy(shop(door), order(door, epsilon="500"))
    assert nothing_happened(door) and not door.extracts.is_open(find(door.living.db, "hospital"))


def test_another_version_than_the_one_on_the_shelf_is_refused(door: Door) -> None:
    with pytest.raises(Refused):
        buy(shop(door), order(door, version=2))
    assert nothing_happened(door)


def test_what_fails_after_the_charge_stays_charged_and_is_said_to_the_steward(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = portrayed(find(door.living.db, "hospital"), EPSILON).rho

    def broken(*_: object) -> list[list[int]]:
        raise RuntimeError("the engine broke")

    with monkeypatch.context() as failing:
        failing.setattr(Opening, "totals", broken)
        with pytest.raises(Incident):
            bought(door)
    assert population_spent(door) == price
    assert door.balance(AccountKind.POPULATION).incidents == 1
    assert find(door.living.db, "hospital").profile is None
    bought(door)  # the control: it may be bought again, and is charged again
    assert population_spent(door) == 2 * price


def test_what_was_stored_before_a_crash_becomes_the_dictionary_at_no_charge(door: Door) -> None:
    made = bought(door)
    assert made.profile is not None
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
        state.execute("DELETE FROM profiles")
        state.commit()
    spent = population_spent(door)
    again = buy(shop(door), order(door, epsilon="3"))
    assert again.profile == made.profile and population_spent(door) == spent


EDITS = {
    "a count": lambda tree: tree["histograms"][0]["counts"].__setitem__(0, 10**12),
    "a scale": lambda tree: tree["histograms"][1].update(scale=1),
    "a signature": lambda tree: tree["signature"].update(value="00" * 64),
    "no signature": lambda tree: tree.update(signature=None),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_profile_gets_no_number(door: Door, edit: Any) -> None:
    good = bought(door)
    open_key(door.living.place, door.living.keyring, good)  # the control
    assert sum(numbers(door.ask(COUNT, "100"))["n"]) > 300
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
        tree = json.loads(state.execute("SELECT profile FROM profiles").fetchone()[0])
        edit(tree)
        state.execute("UPDATE profiles SET profile = ?", (json.dumps(tree),))
        state.commit()
    with pytest.raises(Tampered):
        open_key(door.living.place, door.living.keyring, find(door.living.db, "hospital"))
    try:
        told = numbers(door.ask("SELECT COUNT(*) AS m FROM visits", "100"))["m"][0]
    except EnclaveError:
        return
    assert abs(told) < 100, "noise around zero, and an incident"


def test_a_profile_of_another_extract_is_not_this_ones(door: Door) -> None:
    good = bought(door)
    open_key(door.living.place, door.living.keyring, good)
    with pytest.raises(Tampered):
        open_key(door.living.place, door.living.keyring, replace(good, version=2))


def test_after_the_purchase_answers_say_what_clipping_may_have_taken(door: Door) -> None:
    before = door.ask(COUNT, "30")
    bought(door)
    after = door.ask(COUNT, "31")
    assert "n_clipped" not in numbers(before)
    told = numbers(after)["n_clipped"]
    assert all(most is not None and most >= 0 for most in told)


def test_the_question_that_was_paid_for_before_stays_free_after(door: Door) -> None:
    first = door.ask(COUNT, "30")
    assert first.head.rho_spent > 0
    bought(door)
    asked, dataset = door.asker(door.living.project), find(door.living.db, "hospital")
    quote = door.asking.quote(asked, COUNT, "30")
    fresh = prepare(COUNT, dataset, "30")
    assert quote.rho_due in (0, fresh.rho), (
        "what is held serves, or the advisor knows better and the price is a new one"
    )


def test_purchases_are_found_by_what_they_are_of(door: Door) -> None:
    dataset = find(door.living.db, "hospital")
    keys = {purchase_key(d) for d in (dataset, replace(dataset, version=2), replace(dataset, digest="f" * 64))}
    assert len(keys) == 3


def clip(answered: Any) -> int:
    found = answered.head.quote.mechanisms[0].clip
    assert found is not None
    return int(found)


def free_clip(door: Door, epsilon: str, sql: str = COUNT) -> int:
    """What the advisor would choose if nothing were held."""
    return prepare(sql, find(door.living.db, "hospital"), epsilon).clips[0]


def test_a_topped_up_question_keeps_the_first_clip_and_is_free_when_asked_again(door: Door) -> None:
    bought(door)
    first = door.ask(COUNT, "1")
    sharper = next(e for e in ("1.1", "1.2", "1.3", "1.5", "1.8", "2") if free_clip(door, e) != clip(first))
    more = door.ask(COUNT, sharper)
    assert clip(more) == clip(first) != free_clip(door, sharper)
    assert more.head.rho_spent < more.head.quote.rho and more.head.quote.rho_due == more.head.rho_spent
    again = door.ask(COUNT, sharper)
    assert again.head.rho_spent == 0 and again.body == more.body
    assert door.ask(COUNT, "0.5").head.rho_spent == 0, "a coarser question is answered by what is held"


def test_a_clip_that_would_serve_much_worse_is_not_kept(door: Door) -> None:
    """Of all visits: groups told as shares of a whole are served by a small clip nearly as well."""
    bought(door)
    first = door.ask(ALL_VISITS, "0.02")
    much = door.ask(ALL_VISITS, "50")
    assert clip(first) < clip(much) == free_clip(door, "50", ALL_VISITS)
    assert much.head.rho_spent == much.head.quote.rho, "a new question, paid in full"
    assert door.ask(ALL_VISITS, "50").head.rho_spent == 0


def test_another_project_pays_as_new_under_the_clip_of_its_own(door: Door) -> None:
    bought(door)
    theirs = door.ask(COUNT, "1")
    other: dict[str, Any] = {"project": granted_to(door.living, "stranger"), "member": "stranger"}
    population_before = population_spent(door)
    mine = door.ask(COUNT, "1", **other)
    assert mine.head.rho_spent == theirs.head.rho_spent and mine.body == theirs.body
    assert population_spent(door) == population_before
