"""How does an act stand in the chain?

With its number, its instant, and a link to the entry before it that binds every byte of what it says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from enclave.audit import Link, link_spelled, quoted
from enclave.budget.acts import ACTS, Act
from enclave.errors import EnclaveError, Tampered


@dataclass(frozen=True)
class Entry:
    """One entry as stored."""

    seq: int
    at: str
    kind: str
    text: str
    """The detail as it is stored and chained, to the byte."""
    previous: str
    hash: str

    def __post_init__(self) -> None:
        if not all(type(part) is str for part in (self.at, self.kind, self.text, self.previous, self.hash)):
            raise Tampered("budget.entry_unreadable", seq=self.seq)  # SQLite keeps any type in any column

    @property
    def link(self) -> Link:
        return Link(self.seq, body(self.at, self.kind, self.text), self.previous, self.hash)

    @property
    def detail(self) -> dict[str, Any]:
        """The facts of the entry."""
        return self.act.detail()

    @property
    def act(self) -> Act:
        """What the entry says; Tampered when it says nothing we know, or more, or in another spelling."""
        try:
            act = ACTS[self.kind].read(json.loads(self.text))
            whole = act.text == self.text
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, EnclaveError) as broken:
            raise Tampered("budget.entry_unreadable", seq=self.seq) from broken
        if not whole:
            raise Tampered("budget.entry_unreadable", seq=self.seq)
        return act


def body(at: str, kind: str, text: str) -> dict[str, str]:
    """What the chain binds: the detail as text, so that not even its spelling can change."""
    return {"at": at, "kind": kind, "detail": text}


def bound(previous: str, at: str, kind: str, text: str) -> str:
    """The hash of the entry that says so after `previous`: the chain's `link` of its `body`, at a fifth of the time."""
    return link_spelled(previous, f'{{"at":{quoted(at)},"detail":{quoted(text)},"kind":{quoted(kind)}}}')
