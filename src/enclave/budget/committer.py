"""How do many spenders share one durable commit?

One thread owns the writing connection. Callers hand it *jobs*; it takes all that wait, runs each inside one transaction
and commits once, so sixty-four spenders pay for one fsync. Rules it keeps:

- a job refuses before it writes, so its refusal touches no other job of the batch;
- nobody hears yes before the commit is on the disk;
- if the commit itself fails, nobody in the batch hears yes, and the standing is read back from the chain on disk;
- an entry goes in only on top of the entry this committer wrote last, in the file it opened: a ledger changed or
  replaced under a running broker stops it.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from enclave.audit import Head, canonical, link_texts
from enclave.audit.event import now
from enclave.budget import rows
from enclave.budget.accounts import Account, Balance
from enclave.budget.entries import Act, body
from enclave.budget.proof import walk
from enclave.budget.standing import ENTRIES, Effect, ReservationState, Standing
from enclave.errors import EnclaveError, Incident, Tampered

LARGEST_BATCH = 256

T = TypeVar("T")
_STATES = {act.KIND: state for state, act in ENTRIES.items()}


class Desk:
    """What a job sees inside the transaction: where all stands, and the one way to write."""

    def __init__(self, connection: sqlite3.Connection, standing: Standing, head: Head) -> None:
        self.connection = connection
        self.standing = standing
        self.head = head
        self._at = now()
        self._touched: dict[Account, Balance] = {}

    def check(self, act: Act) -> Effect:
        """The effect `act` would have as the next entry; raises why it may not be written."""
        return self.standing.effect(self.head.seq + 1, act)

    def write(self, act: Act, effect: Effect | None = None) -> Head:
        """Chain `act` as the next entry, and make its effect true (`effect` when `check` has just found it)."""
        effect = effect or self.check(act)
        seq, detail = self.head.seq + 1, canonical(act.detail()).decode()
        digest = link_texts(self.head.hash, body(self._at, act.KIND, detail))
        row = (seq, self._at, act.KIND, detail, self.head.hash, digest)
        self.connection.execute(rows.ADD_ENTRY, row)
        self._reflect(seq, act, effect)
        self.standing.take(seq, effect)
        self.head = Head(seq, digest)
        return self.head

    def _reflect(self, seq: int, act: Act, effect: Effect) -> None:
        if effect.begins is not None:
            self.connection.execute(rows.ADD_RESERVATION, (seq, ReservationState.RESERVED))
        if effect.ends is not None:
            self.connection.execute(rows.END_RESERVATION, (_STATES[act.KIND], seq, effect.ends))
        for balance in effect.balances:
            self._touched[balance.account] = balance

    def flush(self) -> None:
        """Write each balance the batch moved, once."""
        self.connection.executemany(rows.PUT_ACCOUNT, map(rows.account_row, self._touched.values()))


Job = Callable[[Desk], T]


_Outcome = tuple[Any, BaseException | None]


class Outside(Exception):
    """A caller's own check raised `reason`; whatever that is, it says nothing about the transaction."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason


class _Ticket:
    """A job and the caller that waits for it. A bare lock wakes a thread at half the price of a Future."""

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        self._outcome: _Outcome = (None, None)
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self, result: Any, refusal: BaseException | None) -> None:
        self._outcome = (result, refusal)
        self._told.release()

    def hear(self) -> Any:
        self._told.acquire()
        result, refusal = self._outcome
        if refusal is not None:
            raise refusal
        return result


class Committer:
    """The thread that writes."""

    def __init__(self, path: Path, connection: sqlite3.Connection, standing: Standing, head: Head) -> None:
        self._path = path
        self._file = _identity(path)
        self._connection = connection
        self._standing = standing
        self._head = head
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._gate = threading.Lock()  # between "is it closed?" and "put": nothing is queued behind the last word
        self._closed = False
        self._broken: EnclaveError | None = None
        self._thread = threading.Thread(target=self._serve, name="ledger-committer", daemon=True)
        self._thread.start()

    def do(self, job: Job[T]) -> T:
        """Run `job` in the next commit; its result once that is durable, its refusal at the same moment."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a job waits for the committer that runs it")
        ticket = _Ticket(job)
        with self._gate:
            if self._closed:
                raise Incident("budget.ledger_closed")
            self._queue.put(ticket)
        result: T = ticket.hear()
        return result

    def close(self) -> None:
        """Finish what was handed in, then stop."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            self._commit(first)

    def _commit(self, first: _Ticket) -> None:
        batch: list[_Ticket] = []
        outcomes: list[_Outcome] = []
        try:
            desk = self._begin()
            for ticket in self._waiting(first):
                batch.append(ticket)
                outcomes.append(_attempt(ticket.job, desk))
            desk.flush()
            self._connection.execute("COMMIT")
            self._head = desk.head
        except BaseException as failure:  # noqa: BLE001 (every caller of the batch must hear of it, whatever it is)
            self._undo(failure)
            batch = batch or [first]
            outcomes = [(None, _in_doubt(failure)) for _ in batch]
        for ticket, (result, refusal) in zip(batch, outcomes, strict=True):
            ticket.tell(result, refusal)

    def _waiting(self, first: _Ticket) -> Iterator[_Ticket]:
        """`first` and all that waits behind it, those too that come while the ones before are run."""
        yield first
        for _ in range(LARGEST_BATCH - 1):
            try:
                ticket = self._queue.get_nowait()
            except queue.Empty:
                return
            if ticket is None:
                self._queue.put(None)  # the last word stays the last word
                return
            yield ticket

    def _begin(self) -> Desk:
        if self._broken is not None:
            raise self._broken
        self._connection.execute("BEGIN IMMEDIATE")
        if _identity(self._path) != self._file or rows.newest(self._connection) != self._head:
            raise Tampered("budget.changed_underneath", seq=self._head.seq)
        return Desk(self._connection, self._standing, self._head)

    def _undo(self, failure: BaseException) -> None:
        """Forget the batch, and read back where all stands; a ledger that cannot be read back takes no more entries."""
        if isinstance(failure, Tampered):
            self._broken = failure
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if self._broken is None:
                self._standing, self._head = walk(self._connection)
        except (sqlite3.Error, EnclaveError) as lost:
            self._broken = lost if isinstance(lost, EnclaveError) else _in_doubt(lost)


def _in_doubt(failure: BaseException) -> EnclaveError:
    """What a caller hears whose commit failed: never yes."""
    if isinstance(failure, EnclaveError):
        return failure
    incident = Incident("budget.ledger_failed")
    incident.__cause__ = failure
    return incident


def _attempt(job: Job[Any], desk: Desk) -> _Outcome:
    before = desk.head
    try:
        return job(desk), None
    except Outside as raised:
        return None, raised.reason
    except sqlite3.Error:
        raise  # the transaction itself is in doubt: nobody in this batch may hear yes
    except BaseException as refusal:  # even an exit: this thread must go on serving the others
        if desk.head != before:
            raise  # it refused after writing: the whole batch goes back
        return None, refusal


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (a tenth of the time of Path.stat, on every commit)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
