"""Attack: make our own records fail after the charge, so that the end of the channel tells when the engine was done.

Control: without the fault the same question is answered, at the same moment.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from tests.attacks.asked import Door
from tests.attacks.test_channel_flood import served

from domicile.wire import frame
from enclave.catalogue import find
from enclave.query import prepare

SQL = "SELECT COUNT(*) AS n FROM visits"


@pytest.mark.parametrize("fault", [False, True], ids=["control", "the event cannot be written"])
def test_the_channel_ends_no_sooner_than_the_reply_would_have_left(door: Door, fault: bool) -> None:
    if fault:
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
