"""Attack: learn from price, figures or moment of one's own questions what another project asked of the same persons.

Control: the ledger itself shows it (the population pays the first time and not the second), so whoever saw that account
would know.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.attacks.asked import Door, granted_to, opened

from enclave.broker import asking
from enclave.budget import AccountKind, Charge, Share
from enclave.errors import NotFound, Refused

ASKED_BEFORE = "SELECT COUNT(*) AS n FROM visits"
NEVER_ASKED = "SELECT COUNT(*) AS m FROM visits"
POPULATION = AccountKind.POPULATION


def shown(door: Door, project: str, sql: str) -> dict[str, Any]:
    """All that comes back of an answer, but for what names this very question."""
    head = door.ask(sql, project=project, member="stranger").head.model_dump()
    quote = head.pop("quote")
    for name in ("answer", "sql", "ledger_head"):
        head.pop(name)
    figures = [{k: v for k, v in a.items() if k != "name"} for a in quote["accounts"]]
    return head | {"reused": quote["reused"], "rho": quote["rho"], "accounts": figures}


def test_the_price_of_a_question_does_not_tell_that_another_project_asked_it(door: Door) -> None:
    door.ask(ASKED_BEFORE)
    one, two = (granted_to(door.living, "stranger") for _ in range(2))
    before = door.balance(POPULATION).spent.nano_rho
    again = shown(door, one, ASKED_BEFORE)
    assert door.balance(POPULATION).spent.nano_rho == before, "the control: this account would tell"
    fresh = shown(door, two, NEVER_ASKED)
    assert door.balance(POPULATION).spent.nano_rho == before + fresh["rho"]
    assert again == fresh
    assert again["rho_spent"] > 0, "as if new"


def test_what_other_projects_spend_on_the_same_persons_is_not_shown(door: Door) -> None:
    project = granted_to(door.living, "stranger")
    asker = door.asker(project, "stranger")

    def seen() -> Any:
        return door.asking.quote(asker, NEVER_ASKED, "1").accounts

    door.ask("SELECT COUNT(*) AS mine FROM visits", project=project, member="stranger")
    before, population = seen(), door.balance(POPULATION)
    door.ask(ASKED_BEFORE)
    assert door.balance(POPULATION) != population
    assert seen() == before
    assert {account.kind for account in before} == {"project", "researcher"}


def test_a_refusal_does_not_say_what_is_left_of_the_population(door: Door) -> None:
    project = granted_to(door.living, "stranger", epsilon_project="999", epsilon_researcher="999")

    def refused() -> Refused:
        with pytest.raises(Refused) as told:
            door.ask(NEVER_ASKED, "998", project=project, member="stranger")
        return told.value

    before = refused()
    door.ask(ASKED_BEFORE)
    after = refused()
    assert before.code == "budget.population_exhausted"
    assert (after.words(), after.words("zh"), after.facts) == (before.words(), before.words("zh"), before.facts)


def test_the_moment_of_the_next_question_does_not_tell_whether_the_last_opened_the_extract(door: Door) -> None:
    """A stored answer of another project is given without the engine: the engine is opened all the same."""
    project = granted_to(door.living, "stranger")
    door.ask(ASKED_BEFORE)
    door.extracts.close()
    with opened_again(door) as fresh:
        for sql in (ASKED_BEFORE, NEVER_ASKED):
            begun = time.monotonic()
            answered = fresh.ask(sql, project=project, member="stranger")
            beyond = answered.due - begun - answered.head.quote.reply_ms / 1000
            assert (beyond >= asking.OPENING_MS / 1000) == (sql == ASKED_BEFORE), (sql, beyond)


def opened_again(door: Door) -> Any:
    door.ledger.close()
    return opened(door.living)


def test_nobody_waits_for_the_same_question_of_another_project(door: Door) -> None:
    project = granted_to(door.living, "stranger")
    door.ask(NEVER_ASKED, project=project, member="stranger")  # opens the extract
    in_time = []
    for days in range(30, 33):  # who waits is always late; who does not may be, when the machine is busy: once suffices
        question = f"{ASKED_BEFORE} WHERE los_days < {days}"
        first = door.ask(question)
        door.ask(question, project=project, member="stranger")
        in_time.append(time.monotonic() < first.due)
    assert any(in_time), "it had its turn before the other's was over"


def test_a_stranger_is_told_of_no_account_of_another_project(door: Door) -> None:
    try:
        door.asking.quote(door.asker(door.living.project, "stranger"), NEVER_ASKED, "1")
    except NotFound:
        return
    raise AssertionError("a quote under another project's grant")


def test_a_spent_population_refuses_what_is_stored_as_it_refuses_what_is_new(door: Door) -> None:
    """Attack: when nothing is left of the persons, ask and see what is still answered: somebody asked that."""
    door.ask(ASKED_BEFORE)
    project, left = granted_to(door.living, "stranger"), door.balance(POPULATION).left
    door.ledger.reserve(Charge((Share(door.balance(POPULATION).account, left),)))
    told = {}
    for sql in (ASKED_BEFORE, NEVER_ASKED):
        with pytest.raises(Refused) as refused:
            door.ask(sql, project=project, member="stranger")
        told[sql] = (refused.value.code, refused.value.words("en"))
    assert told[ASKED_BEFORE] == told[NEVER_ASKED]
    assert told[ASKED_BEFORE][0] == "budget.population_exhausted"
    assert door.ledger.find_answer(door.ask(ASKED_BEFORE).head.answer), (
        "the control: it is stored, and its own project has it"
    )


@pytest.mark.parametrize("sql", [ASKED_BEFORE, NEVER_ASKED])
def test_what_is_stored_is_read_once_the_moment_is_fixed(door: Door, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    """Attack: a large stored answer takes milliseconds to read, and the reply of a question left so much later."""
    door.ask(ASKED_BEFORE)
    project, steps = granted_to(door.living, "stranger"), list[str]()
    find, reserve = door.ledger.find_answer, door.ledger.reserve

    def read(*of: Any, **named: Any) -> Any:
        steps.append("read")
        return find(*of, **named)

    def reserved(*of: Any, **named: Any) -> Any:
        steps.append("charged")
        return reserve(*of, **named)

    monkeypatch.setattr(door.ledger, "find_answer", read)
    monkeypatch.setattr(door.ledger, "reserve", reserved)
    door.ask(sql, project=project, member="stranger")
    assert steps == (["charged", "read"] if sql == ASKED_BEFORE else ["charged"])
