"""A real broker process that ends, or grows slow, at a named moment.

The product holds no such points: this process replaces one step of its own by one that first kills it (SIGKILL: no
clean-up of any kind runs). POINT `none` is the broker as it is.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domicile.wire import frame
from enclave.bootstrap import broker
from enclave.broker import asking, engines, purchase, session
from enclave.budget import Ledger, witness
from enclave.settings import Settings

ENDLESS = "SELECT 1, (SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b)"


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(step: Callable[..., Any], when: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    def stepping(*given: Any, **named: Any) -> Any:
        if when(*given):
            die()
        return step(*given, **named)

    return stepping


def after(step: Callable[..., Any], when: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    def stepping(*given: Any, **named: Any) -> Any:
        made = step(*given, **named)
        if when(*given):
            die()
        return made

    return stepping


def endless(step: Callable[..., Any]) -> Callable[..., Any]:
    """The engine is given statements it never finishes: only its own cap ends them."""

    def stepping(opening: Any, statements: Any, keys: Any, cap_ms: int) -> Any:
        return step(opening, tuple(replace(s, sql=ENDLESS) for s in statements), keys, cap_ms)

    return stepping


def dawdling(step: Callable[..., Any]) -> Callable[..., Any]:
    """The engine answers well, but after the moment of the reply."""

    def stepping(*given: Any) -> Any:
        made = step(*given)
        time.sleep(1.0)
        return made

    return stepping


def broken(_step: Callable[..., Any]) -> Callable[..., Any]:
    def stepping(*_: Any) -> Any:
        raise RuntimeError("the engine broke")

    return stepping


def is_asked(_session: object, kind: str, _detail: object) -> bool:
    return kind == session.ASKED


def is_answer(_channel: object, head: dict[str, Any], *_: object) -> bool:
    return head.get("kind") == "answer"


Change = tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]
POINTS: dict[str, Change] = {
    "before reserve": (Ledger, "reserve", before),
    "reserved": (Ledger, "reserve", after),
    "executed": (asking, "execute", after),
    "settled": (Ledger, "settle", after),
    "drawn": (purchase, "drawn", after),
    "not kept": (purchase, "keep_profile", before),
    "kept": (purchase, "keep_profile", after),
    "noted": (session.Session, "_record", lambda step: after(step, is_asked)),
    "replied": (frame, "send", lambda step: after(step, is_answer)),
    "checkpointed": (witness, "append", before),
    "endless": (engines.Opening, "totals", endless),
    "dawdling": (engines.Opening, "totals", dawdling),
    "broken": (engines.Opening, "totals", broken),
}


def main(home: Path, point: str, opening_ms: int) -> None:
    """What the process does: it says what it has to say in the home's log, and serves until told to end, or until POINT."""
    log = os.open(home / "run" / "broker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for said in (1, 2):
        os.dup2(log, said)
    change = pytest.MonkeyPatch()
    change.setattr(asking, "OPENING_MS", opening_ms)
    change.setattr(broker, "self_test", lambda: None)  # half a second per start; `query` tests the sampler
    if point != "none":
        owner, name, wrap = POINTS[point]
        change.setattr(owner, name, wrap(getattr(owner, name)))
    broker.run(Settings.load(home, {}))
