"""How many questions may be in the engines at once, and when does one make room for the next?

The moment of a reply is fixed when its question is reserved, so a question must not wait after that: it waits before, for
a turn. A turn ends at the moment of its reply, not when the engine is done, so that how long others wait follows from
public price classes alone. The same question is never in the engine twice: the second finds the answer of the first. Nor do
two that may not fit its memory together, by public sizes: whether they failed would hang on the rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enclave.errors import Incident
from enclave.query.held import MOST_BYTES

AT_ONCE = 2
"""A price class is ten times the worst case of two questions at full load, so two it is: more would eat the margin that
keeps a busy machine from being taken for an incident."""


@dataclass(eq=False)
class Turn:
    """A question's place in the engines. `until` is the moment of its reply, once that is known."""

    held: int = 0
    """Bytes that it may hold there at once."""
    until: float = 0.0
    ends: float = float("inf")
    """When its place is free: not before it was carried out."""


class Turns:
    """The turns of one broker."""

    def __init__(self, at_once: int = AT_ONCE, most_held: int = MOST_BYTES) -> None:
        self._at_once = at_once
        self._most_held = most_held
        self._changed = threading.Condition()
        self._taken: dict[str, Turn] = {}
        self._line: list[Turn] = []
        """Who waits and will hold something, in the order they came: nobody overtakes who waits for room."""
        self._closed = False
        self.planning = threading.Lock()
        """Held while a question is planned and priced: that is Python's work, and more than one at a time would only take
        the interpreter away from questions whose moment is fixed."""

    @contextmanager
    def turn(self, question: str, held: int = 0) -> Iterator[Turn]:
        """Wait for a turn for `question`, which may hold so many bytes; Incident when the broker is ending."""
        mine = Turn(held)
        with self._changed:
            if held:
                self._line.append(mine)
            try:
                while not self._closed and not self._has_room(question, mine):
                    self._wait()
                if self._closed:
                    raise Incident("broker.ending")
                self._taken[question] = mine
            finally:
                if held:
                    self._line.remove(mine)
                    self._changed.notify_all()
        try:
            yield mine
        finally:
            with self._changed:
                mine.ends = mine.until
                self._changed.notify_all()

    def _has_room(self, question: str, mine: Turn) -> bool:
        taken = self._in_engines()
        if question in taken or len(taken) >= self._at_once:
            return False
        beside = sum(turn.held for turn in taken.values())
        return not mine.held or (self._line[0] is mine and (not beside or beside + mine.held <= self._most_held))

    def close(self, seconds: float) -> bool:
        """Give no more turns; True when those that were given ended within `seconds`."""
        give_up = time.monotonic() + seconds
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            while self._in_engines() and time.monotonic() < give_up:
                self._wait(give_up)
            return not self._taken

    def _in_engines(self) -> dict[str, Turn]:
        now = time.monotonic()
        for question in [q for q, turn in self._taken.items() if turn.ends <= now]:
            del self._taken[question]
        return self._taken

    def _wait(self, give_up: float = float("inf")) -> None:
        soonest = min((*(turn.ends for turn in self._taken.values()), give_up), default=give_up)
        self._changed.wait(None if soonest == float("inf") else max(0.0, soonest - time.monotonic()))
