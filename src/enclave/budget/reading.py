"""What can others see of the ledger?

Any process may read: balances, the entries behind them, stored answers. Nothing here can write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from enclave.audit import Head, canonical
from enclave.budget import rows
from enclave.budget.accounts import Account, Balance
from enclave.budget.acts import Lost, Reserved, Settled
from enclave.budget.amount import Amount
from enclave.budget.charge import Charge, Facts
from enclave.budget.entries import Entry
from enclave.budget.file import to_read
from enclave.budget.proof import check_answer
from enclave.store import Place


@dataclass(frozen=True)
class StoredAnswer:
    """An answer that was paid for. `head` is that of its settlement; `project` the one that paid for it."""

    key: str
    project: str
    reservation: int
    head: Head
    answer: bytes
    what: Facts


def balances(place: Place) -> list[Balance]:
    """Every account, by kind and name. Spent counts every reservation, settled or not."""
    with to_read(place.ledger) as connection:
        return rows.stored_balances(connection)


def history(place: Place, since: int = 0, limit: int = 1000) -> list[Entry]:
    """Entries above number `since`, oldest first."""
    with to_read(place.ledger) as connection:
        return list(rows.entries_after(connection, since, limit))


def charges(place: Place, fact: str, value: str) -> list[Charge]:
    """Every charge whose facts say that `fact` is `value`, oldest first, however its reservation ended."""
    said = canonical({fact: value}).decode()[1:-1]
    with to_read(place.ledger) as connection:
        acts = [entry.act for entry in rows.entries_saying(connection, Reserved.KIND, said)]
    return [act.charge for act in acts if isinstance(act, Reserved) and act.charge.what.get(fact) == value]


@dataclass(frozen=True)
class Spent:
    """What one question cost one account. `ended` is how its reservation ended: "settled", "lost", or "" while open."""

    seq: int
    at: str
    amount: Amount
    what: Facts
    ended: str = ""
    incident: bool = False


def spending(place: Place, account: Account) -> list[Spent]:
    """Every charge of `account`, oldest first: together they are its `spent`."""
    found: dict[int, Spent] = {}
    with to_read(place.ledger) as connection:
        for entry in rows.entries_after(connection, 0):
            match entry.kind:
                case Reserved.KIND:
                    act = entry.act
                    assert isinstance(act, Reserved)
                    mine = [share.amount for share in act.charge.shares if share.account == account]
                    if mine:
                        found[entry.seq] = Spent(entry.seq, entry.at, mine[0], act.charge.what)
                case Settled.KIND | Lost.KIND:
                    act = entry.act
                    assert isinstance(act, Settled | Lost)
                    if act.reservation in found:
                        failed = isinstance(act, Settled) and act.incident
                        found[act.reservation] = replace(found[act.reservation], ended=entry.kind, incident=failed)
    return list(found.values())


@dataclass(frozen=True)
class Snapshot:
    """The ledger as it stood at one moment: all that is asked of it agrees."""

    connection: sqlite3.Connection

    def balances(self, accounts: Iterable[Account]) -> list[Balance]:
        """Those of `accounts` that are open, in the order asked."""
        found = (rows.stored_balance(self.connection, account) for account in accounts)
        return [balance for balance in found if balance is not None]

    def held_answers(
        self, answer_key: str, topic: str, *, project: str
    ) -> tuple[StoredAnswer | None, list[StoredAnswer]]:
        """What a project paid for: the answer under `answer_key`, or else all those under `topic`, oldest first."""
        same = next(answers_for(self.connection, answer_key, project), None)
        return same, [] if same is not None else list(answers_about(self.connection, topic, project))


@contextmanager
def snapshot(place: Place) -> Iterator[Snapshot]:
    """The ledger of a home as it is now."""
    with to_read(place.ledger) as connection:
        yield Snapshot(connection)


def answers_for(connection: sqlite3.Connection, key: str, project: str | None = None) -> Iterator[StoredAnswer]:
    """The stored answers under `key` (those `project` paid for), oldest first, each checked against the chain.

    What was answered in an incident may be noise over zeros: it is kept as evidence, and never given again."""
    yield from _answers(connection, "key = ? AND project = coalesce(?, project)", (key, project))


def is_stored(connection: sqlite3.Connection, key: str) -> bool:
    """Is there an answer that `answers_for` would give, whosever? Asked of the entries alone: reading an answer takes longer
    the larger it is."""
    settled = connection.execute("SELECT settled FROM answers WHERE key = ? ORDER BY reservation", (key,))
    acts = (entry.act for (seq,) in settled if (entry := rows.entry_at(connection, seq)) is not None)
    return any(isinstance(act, Settled) and act.key == key and not act.incident for act in acts)


def answers_about(connection: sqlite3.Connection, topic: str, project: str) -> Iterator[StoredAnswer]:
    """The same, under a topic."""
    yield from _answers(connection, "topic = ? AND project = ?", (topic, project)) if topic else ()


def _answers(connection: sqlite3.Connection, where: str, values: tuple[str | None, ...]) -> Iterator[StoredAnswer]:
    query = f"SELECT reservation, key, project, settled, answer, topic FROM answers WHERE {where} ORDER BY reservation"
    for reservation, key, payer, settled, answer, topic in connection.execute(query, values):
        entry = rows.entry_at(connection, settled)
        said = check_answer(entry, reservation, key, answer, topic)
        assert entry is not None
        if not said.incident:
            yield StoredAnswer(key, payer, reservation, Head(entry.seq, entry.hash), answer, said.what)
