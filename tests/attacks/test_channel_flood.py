"""Attack: flood the channel with what is never charged (descriptions, refusals), so that the broker works and the audit
trail grows without end.

Control: as many requests as a run may make are answered one by one.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.attacks.asked import Door, unheard

from domicile.wire import frame
from enclave.audit.tables import events
from enclave.broker import session
from enclave.broker.session import Session
from enclave.store import reading

FLOODS: dict[str, dict[str, Any]] = {
    "of descriptions": {"verb": "describe", "dataset": "hospital", "id": 1},
    "of another dataset": {"verb": "ask", "dataset": "elsewhere", "sql": "", "epsilon": "1", "id": 1},
    "of malformed requests": {"verb": "drop", "dataset": "hospital", "id": 1},
    "of refused questions": {"verb": "quote", "dataset": "hospital", "sql": "nonsense", "epsilon": "1", "id": 1},
}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(session, "MAX_REQUESTS", 30)
    monkeypatch.setattr(session, "MAX_QUESTIONS", 20)
    return 30


def recorded(door: Door) -> int:
    with reading(door.living.db) as connection:
        return int(connection.execute(select(func.count()).select_from(events)).scalar_one())


def served(door: Door, ours: socket.socket) -> None:
    """A channel as the broker serves it: closed when its session is over."""
    with ours, unheard() as bell:
        Session(door.asking, door.asker(door.living.project), door.living.db).serve(ours, bell)


@pytest.mark.parametrize("request_", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_ends_the_channel(door: Door, few: int, request_: dict[str, Any]) -> None:
    ours, theirs = socket.socketpair()
    before, replies = recorded(door), 0
    serving = threading.Thread(target=served, args=(door, ours))
    serving.start()
    with theirs:
        theirs.settimeout(20)
        with pytest.raises((EOFError, OSError)):
            while replies <= few:
                frame.send(theirs, request_)
                frame.receive(theirs)
                replies += 1
    serving.join()
    assert replies == few, "the control: each of them was answered"
    assert recorded(door) <= before + few
