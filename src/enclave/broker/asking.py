"""In which order is a question answered?

 (1) the run is leased in this epoch and its grant holds: signatures, dates, members, dataset
 (2) plan and price, from text and dictionary; tables against the grant, on the question as asked
 (3) what the project holds of this very question: the same bytes, or sharper ones, are free; a coarser answer is added
     to at the difference. Across projects the population does not pay for the same bytes
 (4) wait for a turn, then reserve, under every cap, with (1) asked again inside the reserving transaction
 (5) the moment of the reply is fixed here: price class, size class and whether this broker has the extract open
 (6) execute: never raises; what fails, or ends after the moment, answers in the ordinary shape and is an incident
 (7) settle: the answer and the note of it in one transaction; an incident freezes the project's questions, an engine that is
     not clean those of everybody on its persons (`unclean`)
 (8) wait for the moment, reply

Up to (4) a refusal is in words and costs nothing. After it there are no words and no refund: when a settlement cannot be
written, the channel ends at the moment the reply would have left.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine as Database

from domicile.wire.shapes import AnswerHead, Quote
from enclave.access import Grant
from enclave.access import check as check_grant
from enclave.audit.event import now
from enclave.broker import unclean
from enclave.broker.caps import Payers, RegisterCap, open_accounts, payers
from enclave.broker.engines import OpenExtracts, Opening
from enclave.broker.report import GAUSSIAN
from enclave.broker.reuse import Holding, holding
from enclave.broker.standing import standing
from enclave.broker.stored import body_of, pack
from enclave.broker.turns import Turns
from enclave.budget import (
    ATTO,
    NOTHING,
    Amount,
    Charge,
    Ledger,
    Reservation,
    Share,
    Snapshot,
    StoredAnswer,
    exhausted,
)
from enclave.catalogue import Dataset
from enclave.errors import Refused, Tampered
from enclave.query import Executed, Priced, execute, execute_more, kept, prepare, topic
from enclave.store import Keyring

log = logging.getLogger("enclave.broker")

OPENING_MS = 4_000
OPENING_ROWS_PER_MS = 2_000
"""Added to the moment of the question that opens an extract (digest, attach, first touch of every column), by its public
size: that it is this question which opens it is a fact of this broker's day, not of the data."""


@dataclass
class Allowance:
    """What a run of a plan may still spend, in ρ or in pure ε as its project is counted; of δ a plan declares nothing. Its
    one channel asks one question at a time."""

    left: Amount

    def check(self, owed: Amount) -> None:
        """Refused, before anything is charged, when the plan declared less, or in another measure."""
        if not _declared(owed).fits(self.left):
            raise Refused("broker.run_exhausted")

    def take(self, owed: Amount) -> None:
        """It was charged. More than was left leaves nothing."""
        left, taken = self.left, _declared(owed)
        self.left = left - taken if taken.fits(left) else NOTHING


def _declared(owed: Amount) -> Amount:
    return Amount(owed.nano_rho, 0, owed.nano_epsilon)


@dataclass(frozen=True)
class Asker:
    """Who is asking: the run behind the channel, as the state database has it."""

    run: str
    epoch: int
    project: str
    member: str
    dataset: Dataset
    allowance: Allowance | None = None
    """None: what its project may spend."""


@dataclass(frozen=True)
class Answered:
    """What goes back, and when: `due` on the monotonic clock."""

    head: AnswerHead
    body: bytes
    due: float


class NoAnswer(EOFError):
    """A charged question cannot be settled: its channel ends, without a word."""


class Charged:
    """A reserved question. The moment of its reply is fixed here and moved by nothing but an extract that opens slowly."""

    def __init__(self, reservation: Reservation, reply_ms: int, opening_ms: int) -> None:
        self.reservation = reservation
        self._reply = reply_ms / 1000
        self.due = time.monotonic() + self._reply + opening_ms / 1000
        self._opens = opening_ms > 0

    def opened(self, at: float | None) -> None:
        """The extract stood open at that moment: the reply leaves no sooner than its class after it, so that what is seen of
        a slow opening is the opening and nothing of the question."""
        if self._opens and at is not None:
            self.due = max(self.due, at + self._reply)

    @property
    def is_late(self) -> bool:
        """True once the moment has passed."""
        return time.monotonic() > self.due


@dataclass(frozen=True)
class Asking:
    """Everything a question needs but the question itself."""

    db: Database
    keyring: Keyring
    ledger: Ledger
    extracts: OpenExtracts
    turns: Turns
    caps: Mapping[str, RegisterCap]
    still_leased: Callable[[Asker], None]
    """Raises unless the asker's run is leased in its epoch now."""
    run_seconds: int
    """How long a run lasts here at most: whoever asks is gone then."""

    def quote(self, asker: Asker, sql: str, epsilon: str | None, **within: str | None) -> Quote:
        """(1) and (2): the price in words anybody may have, with what is left of each account."""
        grant = self._standing(asker)
        priced = self._price(asker, grant, sql, epsilon, **within)
        who = payers(priced.registers, grant, asker.member)
        with self.ledger.snapshot() as seen:
            return _shown(seen, holding(seen, priced, asker.project), who)

    def ask(self, asker: Asker, sql: str, epsilon: str | None, **within: str | None) -> Answered:
        """(1) to (7); the caller waits for the moment."""
        grant = self._standing(asker)
        priced = self._price(asker, grant, sql, epsilon, **within)
        who = payers(priced.registers, grant, asker.member)
        own = self._holding(asker, priced)
        if own.free is not None:
            return self._again(own, own.free, who)
        open_accounts(self.ledger, who, asker.dataset, grant, self.caps)
        # by project: who waited for another project's question would know that it is being asked
        with self.turns.turn(f"{asker.project} {priced.answer_key}", priced.held) as turn:
            own = self._holding(asker, priced)  # somebody may have asked it while we waited
            if own.free is None:
                paid = own.base is None and self.ledger.is_stored(priced.answer_key)  # by another project
                reservation = self._reserve(asker, own, who, paid_by_another=paid)
                charged = Charged(reservation, own.priced.reply_ms, self._opening_ms(asker.dataset))
                turn.until = charged.due
                try:
                    return self._carried_out(asker, who, charged, own, paid_by_another=paid)
                finally:
                    turn.until = charged.due
        return self._again(own, own.free, who)

    def _reserve(self, asker: Asker, own: Holding, who: Payers, *, paid_by_another: bool) -> Reservation:
        if asker.allowance is not None:
            asker.allowance.check(own.owed)
        amount = Amount(own.due, own.due_delta)
        shares = (
            # the asker's own first: the cap that all share refuses what theirs would allow
            Share(who.project, own.owed),
            Share(who.researcher, own.owed),
            *(Share(register, NOTHING if paid_by_another else amount) for register in who.populations),
        )
        what: dict[str, str | int] = {"run": asker.run, "member": asker.member, "dataset": asker.dataset.name}
        what |= {"question": own.priced.answer_key, GAUSSIAN: min(own.due, gaussian_rho(own.priced))}
        what |= {"blind": secrets.token_hex(16)}  # heads are shown: nobody shall find by trying what stands behind one

        def recheck() -> None:
            if paid_by_another:
                self._check_left(who, amount)
            self._standing(asker)

        reserved = self.ledger.reserve(Charge(shares, what), recheck)
        if asker.allowance is not None:
            asker.allowance.take(own.owed)
        self.extracts.charged(asker.dataset, reserved.seq)
        return reserved

    def _check_left(self, who: Payers, amount: Amount) -> None:
        """What is stored is refused where it could not be paid as new: else it would tell that somebody asked it."""
        with self.ledger.snapshot() as seen:
            for balance in seen.balances(who.populations):
                if not amount.fits(balance.left):
                    raise exhausted(balance, Share(balance.account, amount))

    def _carried_out(
        self, asker: Asker, who: Payers, charged: Charged, own: Holding, *, paid_by_another: bool
    ) -> Answered:
        """(6) and (7), on a charge that is durable."""
        opening, priced, number = Opening(self.extracts, asker.dataset), own.priced, charged.reservation.seq
        try:
            # what is stored is read now that the moment is fixed: how long that takes tells that it is there
            done, stored = self._given_again(priced, opening) if paid_by_another else _made(own, opening)
            charged.opened(opening.stood_open)
            incident = done.incident or charged.is_late
            if incident:
                log.error("incident in %s, reservation %d%s", asker.run, number, ": late" if charged.is_late else "")
            head = self.ledger.settle(
                charged.reservation,
                answer_key=priced.answer_key,
                answer=stored,
                incident=incident,
                what={"run": asker.run},
                topic=topic(priced),
            )
            with self.ledger.snapshot() as seen:
                shown = _shown(seen, own, who)
            opening.tidy(lambda: unclean.freeze(self.ledger, asker.dataset, number))
        except Exception as trouble:  # whatever it is: it would tell when the engine was done
            log.error("reservation %d of %s is not settled: %s", number, asker.run, type(trouble).__name__)
            charged.opened(opening.stood_open)
            time.sleep(max(0.0, charged.due - time.monotonic()))
            raise NoAnswer from trouble
        answer = AnswerHead(
            answer=priced.answer_key,
            sql=priced.sql,
            quote=shown,
            epsilon_spent=own.epsilon,
            rho_spent=own.due,
            keys_delta_spent=own.due_delta / ATTO,
            ledger_head=head.hash,
        )
        return Answered(answer, done.body, charged.due)

    def _given_again(self, priced: Priced, opening: Opening) -> tuple[Executed, bytes]:
        """Another project's answer. The extract is opened as for a new one, or the moment of the next reply would tell."""
        other = self.ledger.find_answer(priced.answer_key)
        if other is None:
            raise Tampered("broker.stored_unreadable")
        try:
            opening.open()
        except Exception:  # noqa: BLE001 - as `execute`: a failure after the charge is an incident, never words
            return Executed(body_of(other.answer), incident=True), other.answer
        return Executed(body_of(other.answer), incident=False), other.answer

    def _standing(self, asker: Asker) -> Grant:
        self.still_leased(asker)
        return check_grant(
            self.db, self.keyring, project=asker.project, member=asker.member, dataset=asker.dataset, at=now()
        )

    def _price(self, asker: Asker, grant: Grant, sql: str, epsilon: str | None, **within: str | None) -> Priced:
        with self.turns.planning:
            priced = prepare(
                sql, asker.dataset, epsilon, within.get("accuracy"), within.get("confidence"), pure=grant.pure
            )
        if priced.reply_ms >= self.run_seconds * 1000:
            raise Refused("broker.outlasts_run", seconds=priced.reply_ms // 1000, limit=self.run_seconds)
        units = {table.name: table.unit for table in asker.dataset.tables}
        named = sorted((table, column) for table, column in priced.variables if column != units.get(table))
        grant.check_uses(sorted({table for table, _ in priced.variables}), [f"{t}.{c}" for t, c in named])
        return priced

    def _opening_ms(self, dataset: Dataset) -> int:
        return 0 if self.extracts.is_open(dataset) else OPENING_MS + dataset.size_class // OPENING_ROWS_PER_MS

    def _again(self, own: Holding, stored: StoredAnswer, who: Payers) -> Answered:
        """What this project already holds, at the moment a new answer would have come."""
        with self.ledger.snapshot() as seen:
            shown = _shown(seen, own, who)
        head = AnswerHead(
            answer=stored.key,
            sql=own.priced.sql,
            quote=shown,
            epsilon_spent=0.0,
            rho_spent=0,
            ledger_head=stored.head.hash,
        )
        return Answered(head, own.body, time.monotonic() + own.priced.reply_ms / 1000)

    def _holding(self, asker: Asker, priced: Priced) -> Holding:
        with self.ledger.snapshot() as seen:
            return holding(seen, priced, asker.project)


def _shown(seen: Snapshot, own: Holding, who: Payers) -> Quote:
    accounts = standing(seen, who.asking_side, own.priced.dataset.delta, own.priced)
    return own.quote.model_copy(update={"accounts": accounts})


def _made(own: Holding, opening: Opening) -> tuple[Executed, bytes]:
    """The answer, new or added to, and as it is stored."""
    priced = own.priced
    if own.base is None:
        done = execute(priced, opening)
        held = kept(priced.draws, done) if topic(priced) else None
    else:
        done, held = execute_more(priced, own.base, own.draws, opening)
    return done, pack(done.body, held)


def gaussian_rho(priced: Priced) -> int:
    """How much of a price is that of discrete Gaussian draws, those that find unlisted keys among them: reports compose
    these by PLD."""
    return sum(draw.rho for draw in priced.draws if draw.mechanism in ("discrete_gaussian", "thresholded_gaussian"))
