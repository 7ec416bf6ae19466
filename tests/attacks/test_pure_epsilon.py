"""Attack: get from a project that is counted in pure ε what pure ε does not cover, or pay for it in another measure.

Control: the same questions of a project counted in ρ are answered.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.attacks.asked import Door, granted_to, numbers

from enclave.broker.given import spent_by
from enclave.broker.officer import act
from enclave.broker.report import report
from enclave.budget import NANO, AccountKind, Amount, project, pure, raise_message, verify
from enclave.errors import Refused, Tampered

SQL = "SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits WHERE los_days > {} GROUP BY dept"
PROJECT, POPULATION = AccountKind.PROJECT, AccountKind.POPULATION
STRANGER = {"member": "stranger"}


@pytest.fixture
def purely(door: Door) -> str:
    """A project whose officer and steward signed that it is counted in pure ε."""
    return granted_to(door.living, "stranger", pure=True, epsilon_project="1", epsilon_researcher="1")


def test_epsilon_is_spent_exactly_and_no_further_than_the_cap(door: Door, purely: str) -> None:
    heads = [door.ask(SQL.format(n), "0.1", project=purely, **STRANGER).head for n in range(10)]
    spent = door.balance(PROJECT, purely).spent
    assert spent == spent_by(door.living.db, door.living.place, "run_0123456789abcdef")[0], "what a receipt says"
    assert spent == pure(sum(round(head.epsilon_spent * NANO) for head in heads))
    assert 0.999 * NANO < spent.nano_epsilon <= NANO
    assert door.balance(POPULATION).spent == Amount(sum(head.rho_spent for head in heads)), (
        "the register counts ρ: ε²/2"
    )
    with pytest.raises(Refused) as no:
        door.ask(SQL.format(10), "0.1", project=purely, **STRANGER)
    assert no.value.code == "budget.exhausted"
    assert door.balance(PROJECT, purely).spent == spent
    assert door.ask(SQL.format(10), "0.1").head.epsilon_spent > 0, "the control: another project's budget is its own"
    found = report(door.living.place, project(purely), {}, "1e-6").totals()
    assert (found["epsilon"], found["delta"], found["epsilon_pld"]) == (spent.nano_epsilon / NANO, "0", None)
    verify(door.living.place.ledger)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT dx_code, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dx_code", "query.pure_unlisted"),
    ],
)
def test_what_needs_a_delta_or_another_mechanism_is_refused_and_nothing_is_charged(
    door: Door, purely: str, sql: str, code: str
) -> None:
    door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    before = door.balance(PROJECT, purely)
    with pytest.raises(Refused) as no:
        door.ask(sql, "0.1", project=purely, **STRANGER)
    assert no.value.code == code
    assert door.balance(PROJECT, purely) == before


def test_the_same_question_is_free_and_a_sharper_one_is_paid_in_full(door: Door, purely: str) -> None:
    """Two Laplace draws do not add up to one of both prices: there is nothing to be added to."""
    first = door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    again = door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    assert (again.body, again.head.epsilon_spent, again.head.quote.epsilon_due) == (first.body, 0.0, 0.0)
    sharper = door.ask(SQL.format(0), "0.4", project=purely, **STRANGER)
    assert sharper.head.epsilon_spent == sharper.head.quote.epsilon > 0.399
    assert max(numbers(sharper)["n_se"]) < min(numbers(first)["n_se"]) / 3
    card = sharper.head.quote.accounts[0]
    assert (card.pure, card.delta, card.more_such) == (True, 0.0, 1)
    assert card.epsilon_left == pytest.approx(card.epsilon_cap - card.epsilon_spent)


def test_an_answer_in_rho_is_not_given_again_as_one_in_pure_epsilon(door: Door, purely: str) -> None:
    other = door.ask(SQL.format(0), "0.1")
    mine = door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    assert mine.head.answer != other.head.answer
    assert mine.head.epsilon_spent > 0


def test_an_officer_raises_it_in_pure_epsilon_and_in_nothing_else(door: Door, purely: str) -> None:
    door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    account, old = project(purely), pure(NANO)
    officer, token = door.living.member("officer"), door.living.tokens["officer"]

    def raised(new: Amount) -> Amount:
        signed = officer.sign(raise_message(account, old, new), token)
        said = {"act": "raise", "officer": officer.id, "why": "More.", "kind": "project", "name": purely}
        said |= {"public_key": signed.public_key, "signature": signed.value}
        numbers = zip(("old", "old_delta", "old_epsilon"), old, strict=True)
        wanted = zip(("new", "new_delta", "new_epsilon"), new, strict=True)
        return act(door.living.db, door.living.keyring, door.ledger, {**said, **dict(numbers), **dict(wanted)}).cap

    with pytest.raises(Refused):
        raised(Amount(NANO))
    assert raised(pure(2 * NANO)) == pure(2 * NANO)


def test_nobody_leaves_pure_epsilon_by_editing_the_request(door: Door, purely: str) -> None:
    door.ask(SQL.format(0), "0.1", project=purely, **STRANGER)
    with closing(sqlite3.connect(door.living.place.home / "state.db")) as file:
        edited = "UPDATE requests SET content = replace(content, ?, ?)"
        assert file.execute(edited, ('"pure":true,', "")).rowcount > 0
        file.commit()
    with pytest.raises(Tampered):
        door.ask("SELECT MEDIAN(los_days) AS m FROM visits", "0.1", project=purely, **STRANGER)
