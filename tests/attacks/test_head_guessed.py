"""Attack: find by trying what stands in the ledger between the heads of two of one's own answers.

Heads are hashes of entries of which whoever asked knows nearly all: who pays how much, for which question, in which run.
What is left to try is small: whether the persons paid, which tells that another project asked the same before; when, to
the microsecond; which number. The attacker is given the last two here, where a laptop would try them for some minutes.
"""

from __future__ import annotations

import pytest
from tests.attacks.asked import Door, granted_to

from enclave.broker.asking import Answered
from enclave.budget import NOTHING, AccountKind, Amount, Charge, Entry, Share, history
from enclave.budget.acts import Reserved
from enclave.budget.entries import bound

POPULATION = AccountKind.POPULATION


def ask(door: Door, project: str, sql: str) -> Answered:
    return door.ask(sql, project=project, member="stranger")


def entries_between(door: Door, before: str, after: str) -> list[Entry]:
    entries = history(door.living.place)
    at = [entry.hash for entry in entries]
    return entries[at.index(before) + 1 : at.index(after) + 1]


def guesses(door: Door, entry: Entry, known: Charge) -> set[bool]:
    """With which of the two, the persons paid or did not, everything the attacker knows gives the hash that was shown."""
    found = set()
    for paid in (True, False):
        price = max((share.amount for share in known.shares), key=lambda amount: amount.nano_rho)
        shares = tuple(
            Share(s.account, (price if paid else NOTHING) if s.account.kind is POPULATION else s.amount)
            for s in known.shares
        )
        text = Reserved(Charge(shares, {n: v for n, v in known.what.items() if n != "blind"})).text
        if bound(entry.previous, entry.at, entry.kind, text) == entry.hash:
            found.add(paid)
    return found


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_head_does_not_tell_whether_another_project_asked_the_same(door: Door, asked_before: bool) -> None:
    if asked_before:
        door.ask("SELECT COUNT(*) AS n FROM visits")
    project = granted_to(door.living, "stranger")
    first = ask(door, project, "SELECT COUNT(*) AS mine FROM visits")
    second = ask(door, project, "SELECT COUNT(*) AS n FROM visits")
    reserved, settled = entries_between(door, first.head.ledger_head, second.head.ledger_head)
    assert settled.hash == second.head.ledger_head, "no entry of others stands between"
    act = reserved.act
    assert isinstance(act, Reserved)
    assert guesses(door, reserved, act.charge) == set()
    assert len(str(act.charge.what["blind"])) == 32


def test_control_an_entry_of_which_all_is_known_is_found_by_trying_two(door: Door) -> None:
    door.ask("SELECT COUNT(*) AS n FROM visits")
    accounts = [share.account for share in _charge(door).shares]
    for paid in (True, False):
        shares = tuple(Share(a, Amount(1) if paid or a.kind is not POPULATION else NOTHING) for a in accounts)
        door.ledger.reserve(Charge(shares, {"run": "run_1"}))
        assert guesses(door, history(door.living.place)[-1], _charge(door)) == {paid}


def _charge(door: Door) -> Charge:
    act = next(e.act for e in reversed(history(door.living.place)) if isinstance(e.act, Reserved))
    assert isinstance(act, Reserved)
    return act.charge
