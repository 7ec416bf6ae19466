"""How long, and how often, may one jail keep the broker busy?

Nobody waits for half a request or for a reader who does not read: a request that has begun must be whole, and a reply must
be taken, within seconds, or the channel ends. Between requests a jail may be silent for as long as its run lasts. Requests
are answered at a steady pace: a run that asks faster waits before it is heard, so that planning is left for others. How long
it waits follows from when it asked, from nothing else.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from domicile.wire import frame

WHOLE_WITHIN = 5.0
"""Seconds from the first byte of a request to its last."""

TAKEN_WITHIN = 20.0
"""Seconds in which a reply must be taken, however large."""

AT_ONCE, EACH_SECOND = 40, 20.0
"""Requests a run may make at once, and how fast that number comes back."""


class Pace:
    """How many requests a run may make now."""

    def __init__(self) -> None:
        self._left, self._at = float(AT_ONCE), time.monotonic()

    def wait(self) -> None:
        """Until there is one to be made."""
        now = time.monotonic()
        self._left = min(AT_ONCE, self._left + (now - self._at) * EACH_SECOND) - 1
        self._at = now
        if self._left < 0:
            time.sleep(-self._left / EACH_SECOND)


class _Hurried:
    """A socket whose reading ends at a moment."""

    def __init__(self, channel: socket.socket, until: float) -> None:
        self._channel, self._until = channel, until

    def recv(self, size: int, /) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("half a request")
        self._channel.settimeout(left)
        return self._channel.recv(size)


def heard(channel: socket.socket, most: int) -> dict[str, Any]:
    """The next request, without a body; TimeoutError when it is not whole in time, EOFError when there is none any more.

    Descriptors that came with it are closed by the kernel: nothing here asks for them.
    """
    channel.settimeout(None)
    if not channel.recv(1, socket.MSG_PEEK):
        raise EOFError("the channel closed")
    head, _ = frame.receive(_Hurried(channel, time.monotonic() + WHOLE_WITHIN), max_head=most, max_body=0)
    return head


def said(channel: socket.socket, head: dict[str, Any], body: bytes) -> None:
    """Send a reply; TimeoutError when it is not taken in time."""
    channel.settimeout(TAKEN_WITHIN)  # of the whole reply, not of each part
    frame.send(channel, head, body)
