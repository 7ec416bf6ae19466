"""Attack: learn from the catalogue what nobody paid for, or what others do with their budgets.

Control: what was bought is shown, in the terminal's words and on the page, to everybody with an account.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.attacks.asked import Door
from tests.attacks.test_profile import bought

from domicile.wire import told
from enclave.api.known import known_of, value_of
from enclave.bootstrap.house import House, open_house
from enclave.console.shelf import page
from enclave.errors import Refused, Tampered

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"


@pytest.fixture
def house(door: Door) -> Iterator[House]:
    with open_house(door.living.settings).closing() as opened:
        yield opened


def test_before_a_purchase_nothing_is_shown_and_the_price_is_said(door: Door, house: House) -> None:
    known = known_of(house, door.living.member("researcher"), "hospital")
    assert known.bought is None and known.summaries == ()
    assert [one.epsilon for one in known.offers] == ["0.1", "0.3", "1"]
    assert known.offers[0].noise > known.offers[2].noise > 1
    for lang in ("en", "zh"):
        assert any("enclave profile hospital" in line for line in told.lines(known, lang))


def test_what_is_shown_is_a_function_of_what_was_bought(door: Door, house: House) -> None:
    """With every extract gone the same is shown, word for word: nothing here can reach a row."""
    bought(door)
    before = known_of(house, door.living.member("researcher"), "hospital")
    assert before.bought is not None and len(before.summaries) > 20 and before.offers == ()
    shutil.rmtree(door.living.place.extracts)
    after = known_of(house, door.living.member("researcher"), "hospital")
    assert after == before
    sex = next(s for s in after.summaries if (s.table, s.variable) == ("patients", "sex"))
    assert sex.clear and told.spark(sex) and "±" in told.in_short(sex, "en")
    assert 150 < sex.persons.low < sex.persons.high < 210, "the control: it is of these two hundred persons"


def test_an_edited_profile_is_not_shown(door: Door, house: House) -> None:
    bought(door)
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
        tree = json.loads(state.execute("SELECT profile FROM profiles").fetchone()[0])
        tree["histograms"][-1]["counts"][0] = 10**12
        state.execute("UPDATE profiles SET profile = ?", (json.dumps(tree),))
        state.commit()
    with pytest.raises(Tampered):
        known_of(house, door.living.member("researcher"), "hospital")


def test_what_others_spent_is_for_who_reads_budgets(door: Door, house: House) -> None:
    door.ask(COUNT)
    mine, officers = (known_of(house, door.living.member(who), "hospital").use for who in ("researcher", "officer"))
    assert (mine.questions, mine.projects) == (officers.questions, officers.projects) == (1, 1)
    assert mine.epsilon_spent is None and not mine.by_project and not mine.accounts
    assert officers.epsilon_spent == pytest.approx(1, abs=0.05) and len(officers.by_project) == 1


def test_exact_figures_of_an_intake_are_for_steward_and_regulator_and_on_record(door: Door, house: House) -> None:
    for who in ("researcher", "officer"):
        with pytest.raises(Refused):
            value_of(house, door.living.member(who), "hospital")
    for who in ("steward", "auditor"):
        card = value_of(house, door.living.member(who), "hospital")
        assert {one.figure for one in card.quality} == {"completeness", "conformance", "plausibility"}
        assert all(90 < one.per_cent <= 100 for one in card.quality) and card.variables > 20


def test_the_page_draws_what_was_bought_and_loads_nothing(door: Door, house: House) -> None:
    member = door.living.member("researcher")
    nothing = page(house, member, "hospital", "en")
    assert "los_days" in nothing and "<svg" not in nothing and "No private profile was bought" in nothing
    bought(door)
    drawn = page(house, member, "hospital", "zh")
    assert "<svg" in drawn and "隐私概貌" in drawn and 'class="interval"' in drawn
    assert "<script" not in drawn and "http" not in drawn
