"""Which attempts were refused, of what, and why?

A refused attempt is an event as much as a change is. Verbs wrap their work in `refusals_recorded`; what they raise is
written down, without the words people typed and without tokens, and raised on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from enclave.audit import Event, declare, record
from enclave.errors import EnclaveError

REFUSED = declare("access.refused", "an attempt was refused: not allowed, malformed, or of a thing that is not there")

_NOTED = ("policy", "policy_digest")


@contextmanager
def refusals_recorded(db: Engine, actor: str, attempt: str, subject: str) -> Iterator[None]:
    """Record every EnclaveError that leaves the block as an `access.refused` event, then let it go on."""
    try:
        yield
    except EnclaveError as refusal:
        detail = {"attempt": attempt, "code": refusal.code, "place": refusal.place}
        detail |= {name: str(refusal.facts[name]) for name in _NOTED if name in refusal.facts}
        with record(db, Event(REFUSED, actor, subject[:128], detail)):
            pass
        raise
