"""A process that spends from a ledger and is killed: `ledger_spender.py HOME STEP [THREAD]`.

It prints one line per acknowledgement, so that the test knows what the outside was told. STEP names the moment at which
it kills itself (SIGKILL: no clean-up of any kind runs), or is `race`: eight threads spend until nothing is left or the
test kills the process from outside. On the THREAD `aside` a spender who is alone writes itself; on `main`, the default, it
hands its work to the committer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from enclave.budget import Charge, Ledger, Reservation, Share, population, project, researcher
from enclave.budget.amount import Amount
from enclave.errors import Refused
from enclave.store import Place

PRICE = 10


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tell(what: str, seq: int) -> None:
    os.write(1, f"{what} {seq}\n".encode())


def charge() -> Charge:
    return Charge(tuple(Share(a, Amount(PRICE)) for a in (population("cn"), project("p"), researcher("p", "m"))))


def behind(ledger: Ledger, work: list[threading.Thread]) -> None:
    """Start `work` in order while the committer is held, so that all of it falls into one transaction."""
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait()
        raise Refused("budget.frozen", kind="project", name="held", seq=0)  # it writes nothing itself

    def holder() -> None:
        with contextlib.suppress(Refused):
            ledger.reserve(charge(), hold)

    ledger._committer._few = False  # as when many spend: nobody takes the pen itself
    threading.Thread(target=holder).start()
    held.wait()
    for count, thread in enumerate(work, start=1):
        thread.start()
        while ledger._committer._queue.qsize() < count:
            pass
    go.set()


def spend_and_die(ledger: Ledger, step: str) -> None:
    if step == "queued":
        ledger.reserve(charge(), die)
    if step == "written":  # the entry is in the transaction, the transaction is not committed
        first = threading.Thread(target=ledger.reserve, args=(charge(),))
        behind(ledger, [first, threading.Thread(target=ledger.reserve, args=(charge(), die))])
        threading.Event().wait()
    reservation = ledger.reserve(charge())
    if step == "committed":  # durable, but nobody was told
        die()
    tell("granted", reservation.seq)
    if step == "executing":
        die()
    if step == "settling":
        settle_in_a_transaction_that_dies(ledger, reservation)
    ledger.settle(reservation, answer_key=f"k{reservation.seq}", answer=b"42")
    if step == "settled":
        die()
    tell("replied", reservation.seq)
    die()


def settle_in_a_transaction_that_dies(ledger: Ledger, reservation: Reservation) -> None:
    facts = {"answer_key": f"k{reservation.seq}", "answer": b"42"}
    settle = threading.Thread(target=ledger.settle, args=(reservation,), kwargs=facts)
    behind(ledger, [settle, threading.Thread(target=ledger.reserve, args=(charge(), die))])
    threading.Event().wait()


def race(ledger: Ledger) -> None:
    def spend() -> None:
        try:
            while True:
                reservation = ledger.reserve(charge())
                tell("granted", reservation.seq)
                ledger.settle(reservation, answer_key=f"k{reservation.seq}", answer=b"42")
                tell("replied", reservation.seq)
        except Refused:
            pass

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    with Ledger.of(Place(Path(sys.argv[1]))) as opened:
        tell("open", 0)
        if sys.argv[2] == "race":
            race(opened)
        else:
            on = sys.argv[3] if len(sys.argv) > 3 else "main"
            aside = threading.Thread(target=spend_and_die, args=(opened, sys.argv[2]))
            aside.run() if on == "main" else aside.start()
            threading.Event().wait()
