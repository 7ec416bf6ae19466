"""How is a charge reserved, and how does it end?

    quote → `reserve` (durable) → the extract is opened → `settle` → reply

No edge refunds: what is reserved is spent, whatever happens after. The broker alone holds a `Ledger`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from enclave.audit import Checkpoint, Head
from enclave.audit.event import now
from enclave.budget import rows, witness
from enclave.budget.accounts import Account, AccountKind, Balance
from enclave.budget.acts import Act, Frozen, Gap, Lost, Opened, Raised, Reserved, Settled, Thawed
from enclave.budget.amount import Amount
from enclave.budget.charge import Charge, Fact, check_facts, project_of
from enclave.budget.committer import Committer, Outside
from enclave.budget.desk import Desk
from enclave.budget.file import Readers, hold, to_write
from enclave.budget.proof import TOPIC, Behind, behind_witness, digest_of, walk
from enclave.budget.reading import Snapshot, StoredAnswer, answers_for, is_stored
from enclave.errors import NotFound, Refused
from enclave.store import Place, Signature


class Reservation(NamedTuple):
    """A charge that is spent and durable. `head` is the ledger's head at its entry: answers carry it."""

    seq: int
    head: Head


Accepting = Callable[[Behind], Gap | None]
"""The gap an officer signed for exactly this; None when nobody did. That the key is an officer's is the caller's to know."""


class Ledger:
    """The accounts of one home, open for writing."""

    def __init__(self, path: Path, *, heads: Path | None = None, accepted: Accepting = lambda _: None) -> None:
        """Open, verify from entry 1, compare with the witness file `heads`, and settle as lost what a crash left open.

        Behind its witness it opens only with an officer's signed gap: every account is then spent in full, because what
        the lost entries spent is not known; fresh allowance is a signed raise."""
        self._path = path
        self._heads = heads
        self._witnessing = threading.Lock()
        with ExitStack() as opening:
            opening.callback(os.close, hold(path))
            connection = to_write(path)
            opening.callback(connection.close)
            standing, head = walk(connection)
            behind = behind_witness(connection, heads) if heads is not None else None
            gap = accepted(behind) if behind is not None else None
            if behind is not None and gap is None:
                raise behind.reason
            self._committer = Committer(path, connection, standing, head)
            opening.callback(self._committer.close)
            if gap is not None:
                self._write(gap)
            self._committer.do(_lose_what_is_open)
            self._readers = Readers(path)
            opening.callback(self._readers.close)
            self._held = opening.pop_all()

    @classmethod
    def of(cls, place: Place, *, accepted: Accepting = lambda _: None) -> Ledger:
        """The ledger of a home, watched by the witness file in its witness folder."""
        if not place.witness.is_dir():  # a disk that is not mounted: made anew it would remember nothing
            raise NotFound("budget.no_witness_folder", folder=str(place.witness))
        return cls(place.ledger, heads=place.witness / witness.HEADS, accepted=accepted)

    def close(self) -> None:
        """Finish what was handed in and let go of the file."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write(self, act: Act) -> Head:
        return self._committer.do(lambda desk: desk.write(act))

    # Accounts

    def open_account(self, account: Account, cap: Amount, *, actor: str, why: str = "") -> Balance:
        """Open `account`; again with the cap it was opened with, or has now, is the same account. Another cap is refused:
        that is a raise."""

        def job(desk: Desk) -> Balance:
            balance = desk.standing.balances.get(account)
            if balance is None:
                desk.write(Opened(account, cap, actor, why))
                return desk.standing.balance(account)
            if cap != balance.cap and cap != _first_cap(desk, balance):
                now_cap, wanted = str(balance.cap), str(cap)
                raise Refused("budget.other_cap", kind=account.kind, name=account.name, cap=now_cap, wanted=wanted)
            return balance

        return self._committer.do(job)

    def raise_cap(self, account: Account, old: Amount, new: Amount, *, officer: str, signature: Signature) -> Balance:
        """Raise a cap from `old` to `new`; `signature` is the officer's, of `raise_message(account, old, new)`.

        That the key is this officer's is the caller's to know (`people`); the entry keeps key and signature for good."""

        def job(desk: Desk) -> Balance:
            desk.write(Raised(account, old, new, officer, signature))
            return desk.standing.balance(account)

        return self._committer.do(job)

    def freeze(self, account: Account, *, actor: str, why: str) -> Balance:
        """Let `account` pay for nothing until an officer thaws it; a further freeze is an entry of its own."""

        def job(desk: Desk) -> Balance:
            desk.write(Frozen(account, actor, why))
            return desk.standing.balance(account)

        return self._committer.do(job)

    def thaw(self, account: Account, lifts: int, *, officer: str, signature: Signature) -> Balance:
        """Lift the freeze of entry `lifts` (`balance.frozen_at`); `signature` is of `thaw_message(account, lifts)`."""

        def job(desk: Desk) -> Balance:
            desk.write(Thawed(account, lifts, officer, signature))
            return desk.standing.balance(account)

        return self._committer.do(job)

    def balance(self, account: Account) -> Balance:
        """Where `account` stands now."""
        return self._committer.do(lambda desk: desk.standing.balance(account))

    # Spending

    def reserve(self, charge: Charge, recheck: Callable[[], None] | None = None) -> Reservation:
        """Spend `charge` in every account it names, or in none; durable when this returns.

        `recheck` runs inside the transaction, after all caps held and right before the entry is written; what it raises
        (grant revoked, project frozen, channel gone) refuses this charge alone. It must be quick and must not wait for
        the ledger."""
        act = Reserved(charge)

        def job(desk: Desk) -> Head:
            effect = desk.check(act)
            try:
                if recheck is not None:
                    recheck()
            except BaseException as reason:
                raise Outside(reason) from reason
            return desk.write(act, effect)

        head = self._committer.do(job)
        return Reservation(head.seq, head)

    def settle(
        self,
        reservation: Reservation | int,
        *,
        answer_key: str,
        answer: bytes | None,
        incident: bool = False,
        what: Mapping[str, Fact] | None = None,
        topic: str = "",
    ) -> Head:
        """End a reservation: store its answer (opaque bytes, already noisy) and chain the settlement, both or neither.

        `topic` is what answers share that differ in their price alone. The same settlement again returns the first one's
        head. An incident freezes the project that asked."""
        seq = reservation if isinstance(reservation, int) else reservation.seq
        facts = {**(what or {}), **({TOPIC: topic} if topic else {})}
        check_facts({**facts, "answer_key": answer_key})
        act = Settled(seq, answer_key, "" if answer is None else digest_of(answer), incident, facts)

        def job(desk: Desk) -> Head:
            payers = desk.standing.open.get(seq)
            if payers is None:
                return _settled_before(desk, act)
            head = desk.write(act)
            if answer is not None:
                desk.keep_answer((seq, answer_key, project_of(payers), head.seq, answer, topic))
            if incident:
                _freeze_project(desk, payers, seq)
            return head

        return self._committer.do(job)

    # Looking

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The ledger as it is now, of what is durable."""
        with self._readers.snapshot() as connection:
            yield Snapshot(connection)

    def find_answer(self, answer_key: str, *, project: str | None = None) -> StoredAnswer | None:
        """The oldest stored answer under `answer_key`; with `project`, the oldest that this project paid for."""
        with self._readers.snapshot() as connection:
            return next(answers_for(connection, answer_key, project), None)

    def is_stored(self, answer_key: str) -> bool:
        """True when `find_answer` finds one, whosever it is; without looking at it."""
        with self._readers.snapshot() as connection:
            return is_stored(connection, answer_key)

    def projects_holding(self, answer_key: str) -> list[str]:
        """The projects that paid for an answer under `answer_key`, in the order they did."""
        with self._readers.snapshot() as connection:
            query = "SELECT project FROM answers WHERE key = ? GROUP BY project ORDER BY min(reservation)"
            return [row[0] for row in connection.execute(query, (answer_key,))]

    # Proof

    def head(self) -> Head:
        """The newest entry."""
        return self._committer.do(lambda desk: desk.head)

    def checkpoint(self, state_head: Head, sign: Callable[[bytes], Signature]) -> Checkpoint:
        """Sign the heads of both databases as they are now, keep it in the ledger, and tell the witness."""

        def job(desk: Desk) -> Checkpoint:
            bare = Checkpoint(now(), state_head, desk.head)
            signature = sign(bare.message())
            number = desk.connection.execute("SELECT coalesce(max(number), 0) + 1 FROM checkpoints").fetchone()[0]
            row = (number, bare.at, *bare.state, *bare.ledger, signature.public_key, signature.value)
            desk.put(rows.ADD_CHECKPOINT, row)
            return Checkpoint(bare.at, bare.state, bare.ledger, signature)

        with self._witnessing:
            if self._heads is not None:
                witness.begin(self._heads)  # a crash between the next two lines must not look like a stolen witness
            checkpoint = self._committer.do(job)
            if self._heads is not None:
                witness.append(self._heads, checkpoint)
        return checkpoint


def _lose_what_is_open(desk: Desk) -> None:
    for seq in list(desk.standing.open):
        desk.write(Lost(seq))


def _first_cap(desk: Desk, balance: Balance) -> Amount:
    entry = rows.entry_at(desk.connection, balance.opened)
    assert entry is not None and isinstance(entry.act, Opened)
    return entry.act.cap


def _settled_before(desk: Desk, act: Settled) -> Head:
    """The head of the settlement that `act` repeats; Refused when the reservation ended otherwise, or never was."""
    row = desk.connection.execute("SELECT ended FROM reservations WHERE seq = ?", (act.reservation,)).fetchone()
    entry = rows.entry_at(desk.connection, row[0]) if row else None
    if entry is None or entry.act != act:
        raise Refused("budget.not_reserved", seq=act.reservation)
    return Head(entry.seq, entry.hash)


def _freeze_project(desk: Desk, payers: tuple[Account, ...], seq: int) -> None:
    for account in payers:
        if account.kind is AccountKind.PROJECT:
            desk.write(Frozen(account, "broker", f"incident in the question of reservation {seq}"))
