"""How does an answer lie in the ledger?

    "DMA1" ‖ length of head ‖ head (canonical JSON) ‖ body (Arrow IPC) ‖ vectors (int64, little-endian)

The body is what was replied. The head says which draws stand behind it, and under which clips, so that a sharper question
may add to them; the noisy totals leave the broker in the body alone. Bytes without the mark are a body from before there
was a head.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from typing import Any

from enclave.audit import canonical
from enclave.errors import Tampered
from enclave.query import Held, Part

MARK = b"DMA1"
_LENGTH = struct.Struct("<I")


def pack(body: bytes, held: Held | None) -> bytes:
    """The stored form of a body and of what was drawn for it, if that may ever be added to."""
    parts = [[[p.scale, p.rho, len(p.vector)] for p in mechanism] for mechanism in held.mechanisms] if held else None
    clips = list(held.clips) if held else []
    head = canonical({"body": len(body), "parts": parts, "clips": clips})
    vectors = b"".join(_written(p.vector) for mechanism in held.mechanisms for p in mechanism) if held else b""
    return MARK + _LENGTH.pack(len(head)) + head + body + vectors


def body_of(blob: bytes) -> bytes:
    """What was replied."""
    return unpack(blob)[0]


def unpack(blob: bytes) -> tuple[bytes, Held | None]:
    """The body, and the draws behind it if they may be added to; Tampered when it is no stored answer."""
    if blob[: len(MARK)] != MARK:
        return blob, None
    try:
        start = len(MARK) + _LENGTH.size
        end = start + _LENGTH.unpack(blob[len(MARK) : start])[0]
        head: dict[str, Any] = json.loads(blob[start:end])
        at = end + int(head["body"])
        body, held = blob[end:at], None
        if head["parts"] is not None:
            mechanisms = []
            for described in head["parts"]:
                parts = []
                for scale, rho, length in described:
                    parts.append(Part(scale, rho, _read(blob[at : at + 8 * length], length)))
                    at += 8 * length
                mechanisms.append(tuple(parts))
            held = Held(tuple(mechanisms), tuple(int(clip) for clip in head.get("clips", ())))
        if at != len(blob):
            raise ValueError("bytes left over")
    except (ValueError, KeyError, TypeError, struct.error) as broken:
        raise Tampered("broker.stored_unreadable") from broken
    return body, held


def _written(vector: tuple[int, ...]) -> bytes:
    made = array("q", vector)
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def _read(raw: bytes, length: int) -> tuple[int, ...]:
    made = array("q", raw)
    if len(made) != length:
        raise ValueError("a vector is cut short")
    if sys.byteorder == "big":
        made.byteswap()
    return tuple(made)
