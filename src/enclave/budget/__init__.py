"""What may still be spent, and what was?

Exact integers, one writer, every change a link of a chain. `Ledger` is the broker's; `balances` and `history` are for
everybody; `verify` needs nobody's word.
"""

from enclave.budget.accounts import (
    Account,
    AccountKind,
    Balance,
    gap_message,
    population,
    project,
    raise_message,
    researcher,
    thaw_message,
)
from enclave.budget.acts import Gap
from enclave.budget.amount import ATTO, NANO, NOTHING, Amount, pure
from enclave.budget.charge import Charge, Share
from enclave.budget.entries import Entry
from enclave.budget.ledger import Ledger, Reservation
from enclave.budget.proof import Behind, find_gap, verify, verify_checkpoints
from enclave.budget.reading import Snapshot, Spent, StoredAnswer, balances, charges, history, snapshot, spending
from enclave.budget.standing import exhausted

__all__ = [
    "ATTO",
    "NANO",
    "NOTHING",
    "Account",
    "AccountKind",
    "Amount",
    "Balance",
    "Behind",
    "Charge",
    "Entry",
    "Gap",
    "Ledger",
    "Reservation",
    "Share",
    "Snapshot",
    "Spent",
    "StoredAnswer",
    "balances",
    "charges",
    "exhausted",
    "find_gap",
    "gap_message",
    "history",
    "population",
    "project",
    "pure",
    "raise_message",
    "researcher",
    "snapshot",
    "spending",
    "thaw_message",
    "verify",
    "verify_checkpoints",
]
