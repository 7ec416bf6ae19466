"""What does a job see of the ledger inside its transaction, and how does it write?"""

from __future__ import annotations

import sqlite3

from enclave.audit import Head
from enclave.audit.event import now
from enclave.budget import rows
from enclave.budget.accounts import Account, Balance
from enclave.budget.acts import Act
from enclave.budget.entries import bound
from enclave.budget.standing import ENTRIES, Effect, ReservationState, Standing

_STATES = {act.KIND: str(state) for state, act in ENTRIES.items()}
_RESERVED = str(ReservationState.RESERVED)


class Desk:
    """Where all stands, and the one way to write.

    Rows are handed to the database together, when the batch ends or a job looks: each statement by itself would let go of
    the interpreter, for sixty-four spenders to take."""

    def __init__(self, connection: sqlite3.Connection, standing: Standing, head: Head) -> None:
        self._connection = connection
        self.standing = standing
        self.head = head
        self._at = now()
        self._rows: dict[str, list[rows.Row]] = {statement: [] for statement in rows.IN_ORDER}
        self._touched: dict[Account, Balance] = {}

    @property
    def connection(self) -> sqlite3.Connection:
        """To look with: it shows all that was written before."""
        self.flush()
        return self._connection

    def check(self, act: Act) -> Effect:
        """The effect `act` would have as the next entry; raises why it may not be written."""
        return self.standing.effect(self.head.seq + 1, act)

    def write(self, act: Act, effect: Effect | None = None) -> Head:
        """Chain `act` as the next entry, and make its effect true (`effect` when `check` has just found it)."""
        effect = effect or self.check(act)
        seq, previous, text = self.head.seq + 1, self.head.hash, act.text
        digest = bound(previous, self._at, act.KIND, text)
        self.put(rows.ADD_ENTRY, (seq, self._at, act.KIND, text, previous, digest))
        self._reflect(seq, act, effect)
        self.standing.take(seq, effect)
        self.head = Head(seq, digest)
        return self.head

    def put(self, statement: str, row: rows.Row) -> None:
        """One more row of a statement, written with the others of its kind."""
        self._rows[statement].append(row)

    def keep_answer(self, row: rows.Row) -> None:
        """Write a stored answer, at once: it may be large, and what does not fit the disk fails here, not in the others."""
        self._connection.execute(rows.ADD_ANSWER, row)

    def _reflect(self, seq: int, act: Act, effect: Effect) -> None:
        if effect.begins:
            self.put(rows.ADD_RESERVATION, (seq, _RESERVED))
        if effect.ends is not None:
            self.put(rows.END_RESERVATION, (_STATES[act.KIND], seq, effect.ends))
        for balance in effect.balances:
            self._touched[balance.account] = balance

    def flush(self) -> None:
        """Write what was put, and each balance the batch moved, once."""
        for statement, written in self._rows.items():
            if written:
                self._connection.executemany(statement, written)
                written.clear()
        if self._touched:
            self._connection.executemany(rows.PUT_ACCOUNT, map(rows.account_row, self._touched.values()))
            self._touched.clear()
