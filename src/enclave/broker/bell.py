"""How does the broker tell a worker that a jail's question has begun, and that its reply leaves?

Over the control connection by which the worker got the channel, kept open for the run: `s` and a number, answered by `k`
and that number once the jail stands still; `g` and the number when it may go on. The wait for the answer is short and
comes before anything is charged; without an answer the question goes on, and load is observable in it. A connection that
ends, on either side, lets the jail go on.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Iterator

log = logging.getLogger("enclave.broker")

PATIENCE = 1.0
STAND_STILL, STANDING, GO_ON = b"s", b"k", b"g"


class Bell:
    """The broker's end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._asked = 0

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[bool]:
        """The jail stands still inside; False when nobody answered that it does."""
        self._asked = (self._asked + 1) % 256
        number = bytes([self._asked])
        try:
            yield self._said(STAND_STILL + number) and self._answered(STANDING + number)
        finally:
            self._said(GO_ON + number)

    def _said(self, words: bytes) -> bool:
        try:
            self._line.settimeout(PATIENCE)
            self._line.sendall(words)
        except OSError:
            return False
        return True

    def _answered(self, wanted: bytes) -> bool:
        give_up = time.monotonic() + PATIENCE
        try:
            while (left := give_up - time.monotonic()) > 0:
                self._line.settimeout(left)
                heard = self._line.recv(2, socket.MSG_WAITALL)
                if heard == wanted or len(heard) < 2:
                    return heard == wanted
        except OSError:
            pass
        log.warning("a jail did not stand still for its question")
        return False
