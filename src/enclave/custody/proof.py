"""Does everything that was written still stand? Both chains, and every checkpoint signed over both heads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from enclave.audit import head, verify_events
from enclave.audit.proof import check_covers, hash_at
from enclave.budget import verify, verify_checkpoints
from enclave.store import Keyring, Place


@dataclass(frozen=True)
class HouseProof:
    """How much was verified."""

    events: int
    entries: int
    checkpoints: int


def verify_house(place: Place, db: Engine, keyring: Keyring) -> HouseProof:
    """Verify in this order: events from the first, ledger from the first, signatures, what the signatures cover.

    Tampered names the first thing that does not hold. What this cannot see: the whole home replaced by an older copy,
    unless a witness elsewhere remembers a newer head.
    """
    events = verify_events(db)
    entries = verify(place.ledger).seq
    checkpoints = verify_checkpoints(place.ledger, keyring.verify, heads=place.witness / "heads.jsonl")
    newest = head(db)
    for checkpoint in checkpoints:
        check_covers("state", checkpoint.state, hash_at(db, checkpoint.state.seq), newest)
    return HouseProof(events, entries, len(checkpoints))
