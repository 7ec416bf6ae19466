"""What happened, provably, in order?

`record(db, event)` is the only way to a writable connection: a change and its event commit together or not at all.
"""

from enclave.audit.chain import Head, Link, canonical, first_break, head_of, link, link_spelled, quoted
from enclave.audit.event import KINDS, Event, Transaction, declare, record
from enclave.audit.proof import Checkpoint, head, search, verify_events

__all__ = [
    "KINDS",
    "Checkpoint",
    "Event",
    "Head",
    "Link",
    "Transaction",
    "canonical",
    "declare",
    "first_break",
    "head",
    "head_of",
    "link",
    "link_spelled",
    "quoted",
    "record",
    "search",
    "verify_events",
]
