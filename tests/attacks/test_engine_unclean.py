"""Attack: leave something in an engine, and go on asking it, or have it opened anew by whoever asks next.

What is found closes the engine and freezes the persons of its extract in the ledger: questions are refused in words and
uncharged, from every project, after a restart too, until an officer has signed. The control is an engine in which nothing
was left.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.attacks.asked import Door, granted_to, opened

from enclave.broker.officer import act
from enclave.budget import AccountKind, history, thaw_message
from enclave.budget.acts import Thawed
from enclave.catalogue import find
from enclave.errors import Refused
from enclave.query.engine import Engine
from enclave.watch import frozen

FIRST = "SELECT COUNT(*) AS n FROM visits"
NEXT = "SELECT COUNT(*) AS m FROM visits"
POPULATION = AccountKind.POPULATION
totals = Engine.totals


def leaving(engine: Engine, *asked: Any) -> list[list[int]]:
    """The question is answered well, and something stays."""
    found = totals(engine, *asked)
    engine._connection.cursor().execute("CREATE TABLE memory.main.left_behind AS SELECT 1 AS x")
    return found


def spoilt(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Engine, "totals", leaving)
        door.ask(FIRST)


def thawed(door: Door) -> None:
    balance, officer = door.balance(POPULATION), door.living.member("officer")
    signature = officer.sign(thaw_message(balance.account, balance.frozen_at), door.living.tokens["officer"])
    said = {"act": "thaw", "officer": officer.id, "why": "looked", "lifts": balance.frozen_at}
    said |= {"kind": "population", "name": balance.name}
    said |= {"public_key": signature.public_key, "signature": signature.value}
    act(door.living.db, door.living.keyring, door.ledger, said)


def is_refused(door: Door, **who: Any) -> bool:
    entries = len(history(door.living.place))
    with pytest.raises(Refused) as refused:
        door.ask(NEXT, **who)
    assert refused.value.code == "budget.frozen"
    assert refused.value.words("en") and refused.value.words("zh")
    return len([e for e in history(door.living.place)[entries:] if e.kind != "opened"]) == 0


def test_an_engine_with_something_in_it_is_asked_nothing_more(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt(door, monkeypatch)
    assert not door.balance(AccountKind.PROJECT, door.living.project).incidents, "its own answer was made, and stands"
    assert door.balance(POPULATION).frozen
    assert is_refused(door), "uncharged"
    assert is_refused(door, project=granted_to(door.living, "stranger"), member="stranger"), "whoever asks"
    assert door.ask(FIRST).head.rho_spent == 0, "what was paid for is still its project's"
    with opened_again(door) as again:
        assert is_refused(again), "a new broker does not open it either"


def test_an_officer_is_told_in_words_and_opens_it_anew(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt(door, monkeypatch)
    shut = door.extracts.found(find(door.living.db, "hospital"))
    for lang, word in (("en", "closed"), ("zh", "关闭")):
        (stopped,) = frozen(door.living.place, lang)
        assert (stopped.kind, stopped.by) == ("population", "broker")
        assert "hospital" in stopped.why and word in stopped.why
    thawed(door)
    assert isinstance(history(door.living.place)[-1].act, Thawed)
    assert door.ask(NEXT).head.rho_spent > 0
    assert door.extracts.found(find(door.living.db, "hospital")) is not shut
    assert not door.balance(AccountKind.PROJECT, door.living.project).incidents
    assert not door.balance(POPULATION).frozen


def test_control_a_clean_engine_is_asked_again(door: Door) -> None:
    door.ask(FIRST)
    before = door.extracts.found(find(door.living.db, "hospital"))
    assert door.ask(NEXT).head.rho_spent > 0
    assert door.extracts.found(find(door.living.db, "hospital")) is before
    assert frozen(door.living.place, "en") == []


def opened_again(door: Door) -> Any:
    door.extracts.close()
    door.ledger.close()
    return opened(door.living)
