"""When is a question interrupted?

One thread for all questions of an engine, woken only when a question must be interrupted before it would wake anyway: a
timer for each question is a thread that takes the interpreter from the question twice. An interrupt that comes between two
statements of a question is lost on the engine, so it comes again until the question is gone.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

AGAIN_S = 0.05


@dataclass(eq=False)
class _Running:
    interrupt: Callable[[], None]
    due: float


class Clock:
    """Interrupts each question once its time is over, and again until it is gone."""

    def __init__(self) -> None:
        self._look = threading.Condition()
        self._running: set[_Running] = set()
        self._wakes = math.inf
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def capped(self, interrupt: Callable[[], None], cap_ms: int) -> Iterator[None]:
        """`interrupt` is called from `cap_ms` milliseconds on, and never after this is left. It must not wait."""
        running = _Running(interrupt, time.monotonic() + cap_ms / 1000)
        with self._look:
            self._running.add(running)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="question-clock", daemon=True)
                self._thread.start()
            elif running.due < self._wakes:
                self._look.notify()
        try:
            yield
        finally:
            with self._look:
                self._running.discard(running)

    def close(self) -> None:
        """Let the thread end. What still runs is not interrupted any more."""
        with self._look:
            self._closed = True
            self._look.notify()

    def _serve(self) -> None:
        with self._look:
            while not self._closed:
                now = time.monotonic()
                for running in self._running:
                    if running.due <= now:
                        running.interrupt()
                        running.due = now + AGAIN_S
                self._wakes = min((running.due for running in self._running), default=math.inf)
                self._look.wait(None if self._wakes == math.inf else self._wakes - now)
