"""Does the ledger follow from itself, from its signatures, and from what a witness remembers?

Walk from entry 1: every link holds, every act was lawful where it stands, and the balances people read are those the
acts add up to. A signed checkpoint shows a tail cut off; the witness shows the whole file replaced by an older one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from enclave.audit import Checkpoint, Head, Link, first_break
from enclave.audit.proof import check_covers
from enclave.budget import rows, witness
from enclave.budget.acts import Gap, Reserved, Settled
from enclave.budget.entries import Entry
from enclave.budget.file import to_read
from enclave.budget.standing import ENTRIES, ReservationState, Standing, unlawful
from enclave.errors import EnclaveError, Tampered
from enclave.store import Signature

TOPIC = "topic"
"""The fact of a settlement that names its answer's topic."""

_STATES = {act.KIND: str(state) for state, act in ENTRIES.items()}


def walk(connection: sqlite3.Connection) -> tuple[Standing, Head]:
    """Where all stands by the chain alone; Tampered at the first entry that does not follow, or that the rules refuse,
    or when the tables beside the chain say otherwise."""
    standing, ended = Standing(), dict[int, tuple[str, int | None]]()
    broken = first_break(_fold(rows.entries_after(connection, 0), standing, ended))
    if broken is not None:
        raise Tampered("audit.chain_broken", chain="ledger", seq=broken)
    _compare(connection, standing, ended)
    return standing, rows.newest(connection)


def _fold(entries: Iterable[Entry], standing: Standing, ended: dict[int, tuple[str, int | None]]) -> Iterator[Link]:
    """The links of `entries`; an act takes effect only after its link was found to hold."""
    for entry in entries:
        yield entry.link
        try:
            effect = standing.effect(entry.seq, entry.act)
        except EnclaveError as reason:
            raise unlawful(entry.seq, reason) from reason
        standing.take(entry.seq, effect)
        if effect.begins:
            ended[entry.seq] = (ReservationState.RESERVED, None)
        if effect.ends is not None:
            ended[effect.ends] = (_STATES[entry.kind], entry.seq)


def _compare(connection: sqlite3.Connection, standing: Standing, ended: dict[int, tuple[str, int | None]]) -> None:
    try:
        stored = {balance.account: balance for balance in rows.stored_balances(connection)}
    except (EnclaveError, ValueError) as broken:
        raise Tampered("budget.balance_differs", name="?") from broken
    for account in stored.keys() | standing.balances.keys():
        if stored.get(account) != standing.balances.get(account):
            raise Tampered("budget.balance_differs", name=str(account))
    kept = {seq: (state, end) for seq, state, end in connection.execute("SELECT seq, state, ended FROM reservations")}
    for seq in kept.keys() | ended.keys():
        if kept.get(seq) != ended.get(seq):
            raise Tampered("budget.reservation_differs", seq=seq)


def check_answer(entry: Entry | None, reservation: int, key: str, answer: bytes, topic: str) -> Settled:
    """The settlement a stored answer came from; Tampered unless it names this key, this topic and these bytes."""
    said = entry.act if entry else None
    if not isinstance(said, Settled) or said.reservation != reservation or said.key != key:
        raise Tampered("budget.answer_altered", seq=reservation)
    if said.digest != digest_of(answer) or said.what.get(TOPIC, "") != topic:
        raise Tampered("budget.answer_altered", seq=reservation)
    return said


def digest_of(answer: bytes) -> str:
    """The name of an answer's bytes in the chain."""
    return hashlib.sha256(answer).hexdigest()


def verify(path: Path) -> Head:
    """Check the whole ledger, stored answers too; its head, or Tampered naming what does not hold."""
    with to_read(path) as connection:
        _, head = walk(connection)
        for reservation, key, project, settled, answer, topic in connection.execute(
            "SELECT reservation, key, project, settled, answer, topic FROM answers ORDER BY reservation"
        ):
            check_answer(rows.entry_at(connection, settled), reservation, key, answer, topic)
            reserved = rows.entry_at(connection, reservation)
            act = reserved.act if reserved else None
            if not isinstance(act, Reserved) or act.charge.project != project:
                raise Tampered("budget.answer_altered", seq=reservation)
    return head


def stored_checkpoints(connection: sqlite3.Connection) -> list[Checkpoint]:
    """Every signed checkpoint kept in the ledger, oldest first."""
    query = "SELECT at, state_seq, state_hash, ledger_seq, ledger_hash, public_key, signature FROM checkpoints"
    return [
        Checkpoint(r[0], Head(r[1], r[2]), Head(r[3], r[4]), Signature(r[5], r[6]))
        for r in connection.execute(f"{query} ORDER BY number")
    ]


def verify_checkpoints(
    path: Path, check: Callable[[bytes, Signature], None], *, heads: Path | None = None
) -> list[Checkpoint]:
    """Every checkpoint, of the ledger and of the witness file `heads`, is signed (`check` is `Keyring.verify`) and still
    covered by the chain. They are returned so that the caller may check what they say of the state database."""
    with to_read(path) as connection:
        checkpoints = stored_checkpoints(connection)
        if heads is not None and heads.exists():
            gaps = signed_gaps(connection)
            checkpoints += [seen for line, seen in enumerate(witness.read(heads), 1) if not _excused(gaps, line, seen)]
        actual = rows.newest(connection)
        for checkpoint in checkpoints:
            assert checkpoint.signature is not None
            check(checkpoint.message(), checkpoint.signature)
            signed = checkpoint.ledger
            check_covers("ledger", signed, rows.hash_at(connection, signed.seq), actual)
    return checkpoints


def signed_gaps(connection: sqlite3.Connection) -> list[Gap]:
    """Every gap an officer signed, oldest first."""
    acts = [entry.act for entry in rows.entries_saying(connection, Gap.KIND, "")]
    return [act for act in acts if isinstance(act, Gap)]


def _excused(gaps: Iterable[Gap], line: int, checkpoint: Checkpoint) -> bool:
    return any(gap.excuses(line, checkpoint.ledger) for gap in gaps)


@dataclass(frozen=True)
class Behind:
    """This ledger ends at `actual`; the witness, `lines` long, saw `seen`, which the ledger does not hold."""

    seen: Head
    actual: Head
    lines: int

    @property
    def reason(self) -> Tampered:
        """Why such a ledger is not written to."""
        return Tampered("budget.behind_witness", seq=self.actual.seq, seen=self.seen.seq, hash=self.seen.hash)


def behind_witness(connection: sqlite3.Connection, heads: Path) -> Behind | None:
    """What the witness saw and the chain does not hold (this is an older or another copy); None when it holds all.

    Every line counts, not the highest alone: after a signed gap the numbers begin lower again."""
    if not heads.exists():
        if connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0]:
            raise Tampered("budget.witness_missing", file=heads.name)
        return None
    seen = witness.read(heads)
    last = {checkpoint.ledger: line for line, checkpoint in enumerate(seen, start=1)}
    gaps = signed_gaps(connection)
    lost = [
        head
        for head, line in last.items()
        if head.seq and rows.hash_at(connection, head.seq) != head.hash and not any(g.excuses(line, head) for g in gaps)
    ]
    return Behind(max(lost), rows.newest(connection), len(seen)) if lost else None


def find_gap(path: Path, heads: Path) -> Behind | None:
    """As the broker would find at its start; for the officer who is asked to sign."""
    with to_read(path) as connection:
        return behind_witness(connection, heads)
