"""How is a row bound to all rows before it?

hash_n = SHA-256(hash_{n-1} ‖ canonical(body_n)); canonical is JSON with sorted keys and no spaces (as in RFC 8785 for the
types we use: strings, integers, booleans, null, lists, objects; floats are refused, they have no one spelling).
"""

from __future__ import annotations

import hashlib
import json
import json.encoder
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

GENESIS = "0" * 64


class Head(NamedTuple):
    """The newest entry of a chain: how many there are, and the hash that binds them all."""

    seq: int
    hash: str


class Link(NamedTuple):
    """One entry as stored."""

    seq: int
    body: dict[str, Any]
    previous: str
    hash: str


def _no_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a chained body holds no floats: write them as text")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for inner in value:
        if type(inner) not in _PLAIN:  # most are, and a call for each is what a reservation would spend its time on
            _no_floats(inner)


_PLAIN = frozenset({str, int, bool, type(None)})
quoted: Callable[[str], str] = json.encoder.encode_basestring
"""A text as `canonical` spells it."""

_SPELLING = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(body: Any) -> bytes:
    """The one spelling of `body`; TypeError for floats."""
    _no_floats(body)
    return _SPELLING.encode(body).encode()


def link(previous: str, body: dict[str, Any]) -> str:
    """The hash of an entry that follows `previous`."""
    return link_spelled(previous, canonical(body).decode())


def link_spelled(previous: str, spelled: str) -> str:
    """`link` for a body that is spelled out already: what a ledger's rate is made of."""
    return hashlib.sha256(bytes.fromhex(previous) + spelled.encode()).hexdigest()


def first_break(links: Iterable[Link]) -> int | None:
    """The number of the first entry that does not follow from the one before it; None when all do."""
    expected, previous = 1, GENESIS
    for entry in links:
        if entry.seq != expected or entry.previous != previous or link(previous, entry.body) != entry.hash:
            return expected
        expected, previous = expected + 1, entry.hash
    return None


def head_of(newest: tuple[int, str] | None) -> Head:
    """The head for the newest (seq, hash), or of the empty chain."""
    return Head(*newest) if newest else Head(0, GENESIS)
