"""Many spenders share one commit, and none of them can hurt another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from enclave.budget import Amount, Charge, Ledger, Reservation, Share, population, project, verify
from enclave.errors import EnclaveError, Incident, Refused, Tampered
from enclave.store import Place

CHARGE = Charge((Share(population("cn"), Amount(10)), Share(project("p"), Amount(10))))


def in_one_batch(ledger: Ledger, *rechecks: Callable[[], None]) -> list[Future[Reservation]]:
    """Reserve once per recheck, all in one transaction: a first job holds the committer until all of them wait."""
    entered, go = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        go.wait(10)
        raise Refused("budget.frozen", kind="project", name="held", seq=0)

    pool = ThreadPoolExecutor(len(rechecks) + 1)
    held = pool.submit(ledger.reserve, CHARGE, hold)
    entered.wait(10)
    waiting = ledger._committer._queue
    futures = []
    for count, recheck in enumerate(rechecks, start=1):
        futures.append(pool.submit(ledger.reserve, CHARGE, recheck))
        while waiting.qsize() < count:
            pass
    go.set()
    with pytest.raises(Refused):
        held.result(10)
    pool.shutdown()
    return futures


def fine() -> None:
    """A recheck that finds nothing wrong."""


def raising() -> None:
    raise RuntimeError("channel gone")


def failing_disk() -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_refusal_in_a_batch_leaves_the_others_their_yes(ledger: Ledger) -> None:
    yes, no, also_yes = in_one_batch(ledger, fine, raising, fine)
    assert also_yes.result().seq == yes.result().seq + 1
    with pytest.raises(RuntimeError, match="channel gone"):
        no.result()
    assert ledger.balance(project("p")).spent == Amount(20)


def test_a_batch_stops_exactly_at_the_cap(ledger: Ledger) -> None:
    outcomes = in_one_batch(ledger, *[fine] * 12)
    assert [f.exception() is None for f in outcomes].count(True) == 10
    assert ledger.balance(project("p")).spent == Amount(100)


def test_when_the_commit_fails_nobody_in_the_batch_hears_yes(ledger: Ledger, place: Place) -> None:
    before = ledger.head()
    outcomes = in_one_batch(ledger, fine, failing_disk, fine)
    for outcome in outcomes:
        with pytest.raises(Incident, match="could not be written"):
            outcome.result()
    assert ledger.head() == before
    assert ledger.balance(project("p")).spent == Amount(0)
    ledger.reserve(CHARGE)
    verify(place.ledger)


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
