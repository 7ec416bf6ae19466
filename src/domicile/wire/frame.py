"""Framing on the broker channel: two big-endian uint32 lengths, a JSON head, then raw bytes (Arrow IPC).

Both lengths are capped before anything is read, so neither side can be made to allocate what it did not agree to.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Protocol

_LENGTHS = struct.Struct(">II")
MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


class FrameError(ValueError):
    """The other side sent something that is no frame, or one over the cap."""


class Source(Protocol):
    """The part of a socket that a frame is read from."""

    def recv(self, size: int, /) -> bytes: ...


class Stream(Source, Protocol):
    """The part of a socket that framing needs both ways."""

    def sendall(self, data: bytes, /) -> None: ...


def _read_exactly(stream: Source, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = stream.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError("the channel closed")
        parts += part
    return bytes(parts)


def send(stream: Stream, head: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > MAX_HEAD or len(body) > MAX_BODY:
        raise FrameError("a frame over the cap was not sent")
    stream.sendall(_LENGTHS.pack(len(text), len(body)) + text + body)


def receive(stream: Source, *, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> tuple[dict[str, Any], bytes]:
    """Read one frame; EOFError when the peer is gone, FrameError when it is no frame."""
    head_size, body_size = _LENGTHS.unpack(_read_exactly(stream, _LENGTHS.size))
    if head_size > max_head or body_size > max_body:
        raise FrameError("a frame over the cap was refused")
    try:
        head = json.loads(_read_exactly(stream, head_size))
    except (ValueError, RecursionError) as broken:
        raise FrameError("the head of a frame is not JSON") from broken
    if not isinstance(head, dict):
        raise FrameError("the head of a frame is not an object")
    return head, _read_exactly(stream, body_size)
