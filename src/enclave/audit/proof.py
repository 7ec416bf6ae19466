"""Was anything altered?

The chain shows edits and gaps in the middle; a signed checkpoint (by the broker, over the heads of both databases) shows
a tail cut off. What neither shows without a witness elsewhere: the whole home replaced by an older copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from enclave.audit.chain import Head, Link, canonical, first_break, head_of
from enclave.audit.event import body_of
from enclave.audit.tables import events
from enclave.errors import Tampered
from enclave.store import Signature, reading


@dataclass(frozen=True)
class Checkpoint:
    """The heads of both chains at one instant, signed by the home's key."""

    at: str
    state: Head
    ledger: Head
    signature: Signature | None = None

    def message(self) -> bytes:
        """The bytes that are signed."""
        return canonical({"at": self.at, "state": list(self.state), "ledger": list(self.ledger)})


def head(db: Engine) -> Head:
    """The newest event."""
    with reading(db) as connection:
        newest = connection.execute(select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)).first()
    return head_of((newest.seq, newest.hash) if newest else None)


def _links(db: Engine) -> Iterator[Link]:
    with reading(db) as connection:
        for row in connection.execute(select(events).order_by(events.c.seq)):
            yield Link(row.seq, body_of(row), row.previous, row.hash)


def verify_events(db: Engine) -> int:
    """Walk the chain from event 1; the number of events, or Tampered naming the first that does not follow."""
    broken = first_break(_links(db))
    if broken is not None:
        raise Tampered("audit.chain_broken", chain="state", seq=broken)
    return head(db).seq


def search(
    db: Engine, *, actor: str = "", kind: str = "", subject: str = "", since: int = 0, limit: int = 100
) -> list[dict[str, Any]]:
    """Events after number `since` by `actor`, of kinds that begin with `kind`, about `subject`; empty means any."""
    query = select(events).where(events.c.seq > since).order_by(events.c.seq).limit(limit)
    if actor:
        query = query.where(events.c.actor == actor)
    if kind:
        query = query.where(events.c.kind.startswith(kind, autoescape=True))
    if subject:
        query = query.where(events.c.subject == subject)
    with reading(db) as connection:
        return [{"seq": row.seq, **body_of(row)} for row in connection.execute(query)]


def check_covers(chain: str, signed: Head, actual_hash: str | None, actual: Head) -> None:
    """Tampered unless the chain still holds entry `signed.seq` with the hash a checkpoint signed."""
    if signed.seq > actual.seq:
        raise Tampered("audit.checkpoint_ahead", chain=chain, seq=actual.seq, signed=signed.seq)
    if signed.seq and actual_hash != signed.hash:
        raise Tampered("audit.checkpoint_differs", chain=chain, seq=signed.seq)


def hash_at(db: Engine, seq: int) -> str | None:
    """The stored hash of event `seq`."""
    with reading(db) as connection:
        return connection.execute(select(events.c.hash).where(events.c.seq == seq)).scalar()
