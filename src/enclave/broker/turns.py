"""How many questions may be in the engines at once, and when does one make room for the next?

The moment of a reply is fixed when its question is reserved, so a question must not wait after that: it waits before, for
a turn. A turn ends at the moment of its reply, not when the engine is done, so that how long others wait follows from
public price classes alone. The same question is never in the engine twice: the second finds the answer of the first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from enclave.errors import Incident

AT_ONCE = 2
"""A price class is ten times the worst case of two questions at full load, so two it is: more would eat the margin that
keeps a busy machine from being taken for an incident."""


class Turn:
    """A question's place in the engines. `until` is the moment of its reply, once that is known."""

    def __init__(self) -> None:
        self.until = 0.0


class Turns:
    """The turns of one broker."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._taken: dict[str, float] = {}
        """Question → when its turn ends; infinite while it is carried out."""
        self._closed = False
        self.planning = threading.Lock()
        """Held while a question is planned and priced: that is Python's work, and more than one at a time would only take
        the interpreter away from questions whose moment is fixed."""

    @contextmanager
    def turn(self, question: str) -> Iterator[Turn]:
        """Wait for a turn for `question`; Incident when the broker is ending."""
        mine = Turn()
        with self._changed:
            while not self._closed and (question in self._in_engines() or len(self._taken) >= self._at_once):
                self._wait()
            if self._closed:
                raise Incident("broker.ending")
            self._taken[question] = float("inf")
        try:
            yield mine
        finally:
            with self._changed:
                self._taken[question] = mine.until
                self._changed.notify_all()

    def close(self, seconds: float) -> bool:
        """Give no more turns; True when those that were given ended within `seconds`."""
        give_up = time.monotonic() + seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while self._in_engines() and time.monotonic() < give_up:
                self._wait(give_up)
            return not self._taken

    def _in_engines(self) -> dict[str, float]:
        now = time.monotonic()
        for question in [q for q, until in self._taken.items() if until <= now]:
            del self._taken[question]
        return self._taken

    def _wait(self, give_up: float = float("inf")) -> None:
        soonest = min((*self._taken.values(), give_up), default=give_up)
        self._changed.wait(None if soonest == float("inf") else max(0.0, soonest - time.monotonic()))
