"""How does an officer's word reach the ledger, which the broker alone writes?

The officer signs (raise, thaw) with the key only their token opens; the broker checks that the key is certified for an
officer now, and the ledger keeps key and signature for good. A freeze needs no signature: it takes nothing away but time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from enclave.audit import Event, declare, record, search
from enclave.audit.event import now
from enclave.budget import Account, AccountKind, Amount, Balance, Behind, Gap, Ledger, gap_message
from enclave.errors import BadInput, Refused
from enclave.people import Role, certified
from enclave.store import Keyring, Signature, reading, verify_signature

ACTED = declare("budget.changed", "an officer raised, froze or thawed an account")
GAP = declare("budget.gap_accepted", "an officer signed that a ledger behind its witness goes on, spent in full")
ACTS = ("raise", "freeze", "thaw")
NUMBERS = ("old", "new", "old_delta", "new_delta", "old_epsilon", "new_epsilon", "lifts")


def act(db: Engine, keyring: Keyring, ledger: Ledger, said: Mapping[str, Any]) -> Balance:
    """Carry out what an officer said; Refused unless an officer's certified key signed it. Recorded either way."""
    try:
        verb, officer, why = str(said["act"]), str(said["officer"]), str(said["why"])
        account = Account(AccountKind(said["kind"]), str(said["name"]))
        signature = Signature(str(said["public_key"]), str(said["signature"]))
        numbers = {name: int(said[name]) for name in NUMBERS if name in said}
    except (KeyError, ValueError) as broken:
        raise BadInput("broker.bad_act") from broken
    if verb not in ACTS:
        raise BadInput("broker.bad_act")
    with reading(db) as connection:
        paper = certified(
            connection,
            keyring.public_key,
            member=officer,
            public_key=signature.public_key,
            role=Role.OFFICER,
            at=now(),
        )
    if paper is None:
        raise Refused("broker.no_officer", officer=officer)
    detail = {"act": verb, "account": account.pair(), "why": why, **numbers}
    with record(db, Event(ACTED, officer, str(account)[:256], detail)):
        return _carried_out(ledger, verb, account, officer, why, signature, numbers)


def accept_gap(db: Engine, gap: Gap, why: str) -> None:
    """Keep an officer's signature over a gap, where the broker looks for it when it starts."""
    detail = {**gap.detail(), "why": why}
    with record(db, Event(GAP, gap.officer, gap.seen.hash, detail)):
        pass


def accepted_gap(db: Engine, keyring: Keyring, behind: Behind) -> Gap | None:
    """The gap signed for exactly what the broker found, by a key that was an officer's when it signed; else None."""
    for event in search(db, kind=GAP, subject=behind.seen.hash):
        gap = Gap.read(event["detail"])
        if (gap.seen, gap.actual, gap.lines) != (behind.seen, behind.actual, behind.lines):
            continue
        with reading(db) as connection:
            paper = certified(
                connection,
                keyring.public_key,
                member=gap.officer,
                public_key=gap.signature.public_key,
                role=Role.OFFICER,
                at=str(event["at"]),
            )
        if paper is not None:
            verify_signature(gap_message(gap.seen, gap.actual, gap.lines), gap.signature)
            return gap
    return None


def _carried_out(
    ledger: Ledger,
    verb: str,
    account: Account,
    officer: str,
    why: str,
    signature: Signature,
    numbers: Mapping[str, int],
) -> Balance:
    if verb == "freeze":
        return ledger.freeze(account, actor=officer, why=why)
    if verb == "thaw":
        return ledger.thaw(account, numbers["lifts"], officer=officer, signature=signature)
    return ledger.raise_cap(
        account,
        Amount(numbers["old"], numbers.get("old_delta", 0), numbers.get("old_epsilon", 0)),
        Amount(numbers["new"], numbers.get("new_delta", 0), numbers.get("new_epsilon", 0)),
        officer=officer,
        signature=signature,
    )
