"""Many spenders share one commit, and none of them can hurt another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from enclave.budget import Amount, Charge, Ledger, Reservation, Share, population, project, verify
from enclave.budget.acts import Frozen
from enclave.budget.committer import ROWS, _tell, _Ticket
from enclave.budget.desk import Desk
from enclave.errors import EnclaveError, Incident, Refused, Tampered
from enclave.store import Place

T = TypeVar("T")
CHARGE = Charge((Share(population("cn"), Amount(10)), Share(project("p"), Amount(10))))


def in_one_batch(ledger: Ledger, *calls: Callable[[], T]) -> list[Future[T]]:
    """Make `calls`, each on a thread of its own, all in one transaction: a first job holds the committer meanwhile."""
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go.wait(10)
        raise Refused("budget.frozen", kind="project", name="held", seq=0)

    waiting = ledger._committer._queue
    ledger._committer._few = False  # as when many spend: nobody takes the pen itself
    pool = ThreadPoolExecutor(len(calls) + 1)
    held = pool.submit(ledger.reserve, CHARGE, hold)
    entered.wait(10)
    futures = []
    for count, call in enumerate(calls, start=1):
        futures.append(pool.submit(call))
        while waiting.qsize() < count:
            pass
    go.set()
    assert isinstance(held.exception(10), EnclaveError)
    pool.shutdown()
    return futures


def reserving(ledger: Ledger, *rechecks: Callable[[], None]) -> list[Callable[[], Reservation]]:
    """One reservation per recheck."""
    return [partial(ledger.reserve, CHARGE, recheck) for recheck in rechecks]


def fine() -> None:
    """A recheck that finds nothing wrong."""


def fine_job(desk: Desk) -> None:
    """A job that finds nothing wrong either."""


def raising() -> None:
    raise RuntimeError("channel gone")


def failing_elsewhere() -> None:
    raise sqlite3.OperationalError("the state database is locked")


@pytest.mark.parametrize("wrong", [raising, failing_elsewhere])
def test_a_refusal_in_a_batch_leaves_the_others_their_yes(ledger: Ledger, wrong: Callable[[], None]) -> None:
    yes, no, also_yes = in_one_batch(ledger, *reserving(ledger, fine, wrong, fine))
    assert also_yes.result().seq == yes.result().seq + 1
    with pytest.raises((RuntimeError, sqlite3.Error), match=r"gone|locked"):
        no.result()
    assert ledger.balance(project("p")).spent == Amount(20)


def test_a_batch_stops_exactly_at_the_cap(ledger: Ledger) -> None:
    outcomes = in_one_batch(ledger, *reserving(ledger, *[fine] * 12))
    assert [f.exception() is None for f in outcomes].count(True) == 10
    assert ledger.balance(project("p")).spent == Amount(100)


def test_when_the_disk_is_full_nobody_in_the_batch_hears_yes(ledger: Ledger, place: Place) -> None:
    reserved = ledger.reserve(CHARGE)
    ledger._committer.do(lambda desk: desk.connection.execute("PRAGMA max_page_count = 40").fetchall())
    large = partial(ledger.settle, reserved, answer_key="k", answer=bytes(10**6))
    calls: list[Callable[[], object]] = [*reserving(ledger, fine), large, *reserving(ledger, fine)]
    first, settled, behind = in_one_batch(ledger, *calls)
    for outcome in (first, settled):
        assert isinstance(outcome.exception(), Incident)
    assert behind.exception() is None, "it came after the failure, into a commit of its own"
    assert ledger.balance(project("p")).spent == Amount(20)
    ledger.settle(reserved, answer_key="k", answer=b"small")
    verify(place.ledger)


def test_a_job_that_fails_after_it_wrote_takes_its_batch_back(ledger: Ledger, place: Place) -> None:
    def half_done(desk: Desk) -> None:
        desk.write(Frozen(project("p"), "broker", ""))
        raise RuntimeError("half done")

    with pytest.raises(Incident):
        ledger._committer.do(half_done)
    assert not ledger.balance(project("p")).frozen
    verify(place.ledger)


def writers_of(ledger: Ledger, count: int = 1) -> set[str]:
    """Which threads ran the jobs of spenders that came one after another."""
    seen: set[str] = set()
    for _ in range(count):
        ledger.reserve(CHARGE, lambda: seen.add(threading.current_thread().name))
    return seen


def test_a_spender_who_is_alone_writes_itself_and_the_main_thread_never(ledger: Ledger) -> None:
    assert writers_of(ledger) == {"ledger-committer"}
    with ThreadPoolExecutor(1, thread_name_prefix="session") as session:
        assert session.submit(writers_of, ledger, 3).result() == {"session_0"}


def test_after_many_came_together_one_waits_to_be_written_with_the_others(ledger: Ledger) -> None:
    in_one_batch(ledger, *reserving(ledger, fine, fine))
    with ThreadPoolExecutor(1, thread_name_prefix="session") as session:
        assert session.submit(writers_of, ledger).result() == {"ledger-committer"}
        assert session.submit(writers_of, ledger).result() == {"session_0"}, "the last one came alone"


def test_nobody_waits_to_be_woken_by_a_main_thread_that_a_signal_may_end() -> None:
    with ThreadPoolExecutor(1) as session:
        first, *others, last = (session.submit(_Ticket, fine_job).result() for _ in range(ROWS + 1))
    ended = _Ticket(fine_job)  # the main thread's, and it never hears
    _tell([first, ended, *others, last])
    assert not any(ticket._told.locked() for ticket in (first, ended, *others)), "each row has begun"
    assert last._told.locked(), "the control: sessions wake one the other"
    first.hear()
    assert not last._told.locked()


def test_who_waits_is_not_overtaken_for_ever_by_spenders_that_write_themselves(ledger: Ledger, place: Place) -> None:
    """The pen is laid down between two commits; whoever waits for it then is next, however quickly the other comes back."""
    stop = threading.Event()

    def alone() -> None:
        while not stop.is_set():
            ledger.head()

    with ThreadPoolExecutor(2) as pool:
        spenders = [pool.submit(alone) for _ in range(2)]
        granted = ledger.reserve(CHARGE)  # the main thread's: it always waits for the committer
        stop.set()
        assert [s.result(10) for s in spenders] == [None, None]
    assert ledger.head() == granted.head
    verify(place.ledger)


def test_closing_waits_for_a_spender_that_writes_itself(ledger: Ledger, place: Place) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go.wait(10)

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(ledger.reserve, CHARGE, hold)
        assert entered.wait(10)
        closing = pool.submit(ledger.close)
        go.set()
        assert closing.result(10) is None
        granted = writing.result(10)
    with Ledger.of(place) as again:
        assert again.head().seq == granted.seq + 1, "the reservation, then its loss"


def change_a_row(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)")
    other.close()


def put_a_copy(path: Path) -> None:
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def take_away(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("meddle", [change_a_row, put_a_copy, take_away])
def test_a_ledger_changed_or_replaced_under_the_broker_stops_it(
    ledger: Ledger, place: Place, meddle: Callable[[Path], None]
) -> None:
    ledger.reserve(CHARGE)
    meddle(place.ledger)
    for _ in range(2):
        with pytest.raises(Tampered, match="while the broker ran"):
            ledger.reserve(CHARGE)


def test_closing_finishes_what_was_handed_in(ledger: Ledger, place: Place) -> None:
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(ledger.reserve, CHARGE) for _ in range(8)]
        ledger.close()
    granted = sum(f.exception() is None for f in futures)
    assert all(isinstance(f.exception(), EnclaveError | None) for f in futures)
    with Ledger.of(place) as again:
        assert again.balance(project("p")).spent == Amount(10 * granted)
