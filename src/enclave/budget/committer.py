"""How do many spenders share one durable commit?

Whoever holds the pen writes. Callers hand in *jobs*; a thread of its own takes all that wait, runs each inside one
transaction and commits once, so sixty-four spenders pay for one fsync. A spender who was alone the last time takes the pen
itself: that saves waking one thread and being woken by it, a tenth of a commit. Rules kept:

- a job refuses before it writes, so its refusal touches no other job of the batch;
- nobody hears yes before the commit is on the disk;
- if the commit itself fails, nobody in the batch hears yes, and the standing is read back from the chain on disk;
- an entry goes in only on top of the entry this committer wrote last, in the file it opened: a ledger changed or
  replaced under a running broker stops it;
- the main thread never holds the pen, and nobody waits to be woken by it: a signal may end it between any two steps.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from enclave.audit import Head
from enclave.budget import rows
from enclave.budget.desk import Desk
from enclave.budget.proof import walk
from enclave.budget.standing import Standing
from enclave.errors import EnclaveError, Incident, Tampered

LARGEST_BATCH = 256
ROWS = 3
"""In so many rows the spenders of a batch wake each other."""

_MAIN = threading.main_thread().ident

T = TypeVar("T")


Job = Callable[[Desk], T]


_Outcome = tuple[Any, BaseException | None]


class Outside(Exception):
    """A caller's own check raised `reason`; whatever that is, it says nothing about the transaction."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason


class _Ticket:
    """A job and the caller that waits for it. A bare lock wakes a thread at half the price of a Future.

    Who is told wakes the one behind: woken all at once, sixty-four threads would stand before the interpreter's one lock
    and be put to sleep there a second time. They stand in `ROWS` rows: a thread takes longer to wake than it has to do, and
    in one row each would wait for that."""

    __slots__ = ("_told", "behind", "in_row", "job", "outcome")

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        self.outcome: _Outcome = (None, None)
        self.behind: _Ticket | None = None
        self.in_row = threading.get_ident() != _MAIN
        """A signal may end the main thread before it wakes whoever is behind it: nobody is."""
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self) -> None:
        self._told.release()

    def hear(self) -> Any:
        self._told.acquire()
        if self.behind is not None:
            self.behind.tell()
        result, refusal = self.outcome
        if refusal is not None:
            raise refusal
        return result


class Committer:
    """The pen, and the thread that writes for many."""

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
        self._pen = threading.Lock()
        self._writer = 0
        """The thread that holds the pen."""
        self._few = True
        """The last commit was for one spender alone."""
        self._thread = threading.Thread(target=self._serve, name="ledger-committer", daemon=True)
        self._thread.start()

    def do(self, job: Job[T]) -> T:
        """Run `job` in the next commit; its result once that is durable, its refusal at the same moment."""
        me = threading.get_ident()
        if me == self._writer:
            raise RuntimeError("a job waits for the committer that runs it")
        ticket = _Ticket(job)
        with self._gate:
            if self._closed:
                raise Incident("budget.ledger_closed")
            alone = self._few and me != _MAIN and self._queue.empty() and self._pen.acquire(blocking=False)
            if not alone:
                self._queue.put(ticket)
        if alone:
            self._commit(ticket)
        result: T = ticket.hear()
        return result

    def close(self) -> None:
        """Finish what was handed in, then stop."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        with self._pen:  # whoever still writes is done
            pass

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            self._few = False  # or spenders coming one by one could keep the pen among themselves
            self._pen.acquire()
            self._commit(first)

    def _commit(self, first: _Ticket) -> None:
        """Carry out what waits, and lay down the pen before anybody is told."""
        self._writer = threading.get_ident()
        try:
            batch = self._carry_out(first)
            self._few = len(batch) == 1
        finally:
            self._writer = 0
            self._pen.release()
        _tell(batch)

    def _carry_out(self, first: _Ticket) -> list[_Ticket]:
        batch: list[_Ticket] = []
        try:
            desk = self._begin()
            for ticket in self._waiting(first):
                batch.append(ticket)
                ticket.outcome = _attempt(ticket.job, desk)
            desk.flush()
            self._connection.execute("COMMIT")
            self._head = desk.head
        except BaseException as failure:  # noqa: BLE001 (every caller of the batch must hear of it, whatever it is)
            self._undo(failure)
            batch = batch or [first]
            for ticket in batch:
                ticket.outcome = (None, _in_doubt(failure))
        return batch

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


def _tell(batch: list[_Ticket]) -> None:
    """Wake the first of each row, who wakes the next, and each that stands in none."""
    in_rows = [ticket for ticket in batch if ticket.in_row]
    for ticket, behind in zip(in_rows, in_rows[ROWS:], strict=False):
        ticket.behind = behind
    for ticket in [ticket for ticket in batch if not ticket.in_row] + in_rows[:ROWS]:
        ticket.tell()


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
