"""How do entries and balances lie in ledger.db?

Plain SQL with parameter lists: through SQLAlchemy's statements a ledger reaches a third of a bare commit (design §11).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from enclave.audit import Head, head_of
from enclave.budget.accounts import Account, AccountKind, Balance
from enclave.budget.amount import Amount
from enclave.budget.entries import Entry

Row = tuple[str | int | bytes | None, ...]

ADD_ENTRY = "INSERT INTO entries (seq, at, kind, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?)"
ADD_RESERVATION = "INSERT INTO reservations (seq, state) VALUES (?, ?)"
END_RESERVATION = "UPDATE reservations SET state = ?, ended = ? WHERE seq = ?"
ADD_ANSWER = "INSERT INTO answers (reservation, key, project, settled, answer, topic) VALUES (?, ?, ?, ?, ?, ?)"
ADD_CHECKPOINT = "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
PUT_ACCOUNT = (
    "INSERT INTO accounts (kind, name, cap_rho, cap_delta, cap_epsilon, spent_rho, spent_delta, spent_epsilon, opened,"
    " frozen_at, incidents) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET"
    " cap_rho = excluded.cap_rho, cap_delta = excluded.cap_delta, cap_epsilon = excluded.cap_epsilon,"
    " spent_rho = excluded.spent_rho, spent_delta = excluded.spent_delta, spent_epsilon = excluded.spent_epsilon,"
    " frozen_at = excluded.frozen_at, incidents = excluded.incidents"
)
IN_ORDER = (ADD_ENTRY, ADD_RESERVATION, END_RESERVATION, ADD_CHECKPOINT)
"""How one batch writes its rows: what ends a reservation after what began it."""

_ENTRIES = "SELECT seq, at, kind, detail, previous, hash FROM entries"


def newest(connection: sqlite3.Connection) -> Head:
    """The head of the chain as it is stored."""
    return head_of(connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone())


def hash_at(connection: sqlite3.Connection, seq: int) -> str | None:
    """The stored hash of entry `seq`."""
    row = connection.execute("SELECT hash FROM entries WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else None


def entry_at(connection: sqlite3.Connection, seq: int) -> Entry | None:
    """Entry `seq`."""
    row = connection.execute(f"{_ENTRIES} WHERE seq = ?", (seq,)).fetchone()
    return Entry(*row) if row else None


def entries_after(connection: sqlite3.Connection, seq: int, limit: int = -1) -> Iterator[Entry]:
    """Entries above number `seq`, oldest first; all of them unless there is a limit."""
    for row in connection.execute(f"{_ENTRIES} WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)):
        yield Entry(*row)


def entries_saying(connection: sqlite3.Connection, kind: str, said: str) -> Iterator[Entry]:
    """Entries of a kind whose detail holds the text `said`, oldest first."""
    for row in connection.execute(f"{_ENTRIES} WHERE kind = ? AND instr(detail, ?) ORDER BY seq", (kind, said)):
        yield Entry(*row)


def account_row(b: Balance) -> Row:
    """The parameters of PUT_ACCOUNT."""
    cap, spent = b.cap, b.spent
    caps = (cap.nano_rho, cap.atto_delta, cap.nano_epsilon)
    spendings = (spent.nano_rho, spent.atto_delta, spent.nano_epsilon)
    return (*b.account.pair(), *caps, *spendings, b.opened, b.frozen_at, b.incidents)


_BALANCES = (
    "SELECT kind, name, cap_rho, cap_delta, cap_epsilon, spent_rho, spent_delta, spent_epsilon, opened, frozen_at,"
    " incidents FROM accounts"
)


def _balance(account: Account, parts: tuple[int, ...]) -> Balance:
    return Balance(account, Amount(*parts[:3]), Amount(*parts[3:6]), *parts[6:])


def stored_balances(connection: sqlite3.Connection) -> list[Balance]:
    """Every balance as the table has it."""
    rows = connection.execute(f"{_BALANCES} ORDER BY kind, name")
    return [_balance(Account(AccountKind(kind), name), tuple(parts)) for kind, name, *parts in rows]


def stored_balance(connection: sqlite3.Connection, account: Account) -> Balance | None:
    """The balance of one account; None when it was never opened."""
    row = connection.execute(f"{_BALANCES} WHERE kind = ? AND name = ?", account.pair()).fetchone()
    return _balance(account, row[2:]) if row else None
