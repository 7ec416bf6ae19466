"""Attack: make our own records fail after the charge, so that the end of the channel tells when the engine was done.

Control: without the fault the same question is answered, at the same moment.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.attacks.asked import Door
from tests.attacks.test_channel_flood import served

from domicile.wire import frame
from enclave.catalogue import find
from enclave.query import prepare

SQL = "SELECT COUNT(*) AS n FROM visits"


def broken_off(door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A ledger that settles once more, and cannot be read from then on."""
    settle = door.ledger.settle

    def last(*of: Any, **named: Any) -> Any:
        head = settle(*of, **named)
        monkeypatch.setattr(door.ledger, "snapshot", no_longer_read)
        return head

    return last


def no_longer_read(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("fault", ["", "the event cannot be written", "the ledger cannot be read"])
def test_the_channel_ends_no_sooner_than_the_reply_would_have_left(
    door: Door, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "the ledger cannot be read":
        monkeypatch.setattr(door.ledger, "settle", broken_off(door, monkeypatch))
    elif fault:
        with closing(sqlite3.connect(door.living.place.home / "state.db")) as state:
            state.execute("ALTER TABLE events RENAME TO gone")
            state.commit()
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=served, args=(door, ours))
    serving.start()
    with theirs:
        theirs.settimeout(20)
        begun = time.monotonic()
        frame.send(theirs, {"verb": "ask", "dataset": "hospital", "sql": SQL, "epsilon": "1", "id": 1})
        try:
            told = frame.receive(theirs)[0]["kind"]
        except EOFError:
            told = "nothing"
        took = time.monotonic() - begun
    serving.join()
    assert told == ("nothing" if fault else "answer")
    moment = prepare(SQL, find(door.living.db, "hospital"), "1").reply_ms / 1000
    assert took > moment
