"""What may be said on a channel?

Three verbs, one at a time: `describe`, `quote`, `ask`. Requests are small, capped in number and paced; anything that is no
frame, half a request, or a reply that is not taken ends the channel (`broker.patience`). What a request says of itself (a
run, a member, a price) is not read: the channel is the identity. A refusal goes back in words; after a reservation there are
no words.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine as Database

from domicile.wire import frame
from domicile.wire.shapes import Problem
from enclave.audit import Event, declare, record
from enclave.broker.asking import Answered, Asker, Asking, NoAnswer
from enclave.broker.bell import Bell
from enclave.broker.patience import Pace, heard, said
from enclave.catalogue import card
from enclave.errors import BadInput, EnclaveError, Refused

log = logging.getLogger("enclave.broker")

ASKED = declare("question.asked", "a run asked a private question and was answered")
REFUSED = declare("question.refused", "a run's question was refused before anything was charged")

MAX_REQUEST = 32 * 1024
MAX_QUESTIONS = 200
MAX_REQUESTS = 500
"""Of any kind, refused ones and descriptions too: each costs the broker work, and a refusal an event."""


@dataclass
class Session:
    """One run's channel, from binding to end."""

    asking: Asking
    asker: Asker
    db: Database
    asked: int = 0

    def serve(self, channel: socket.socket, bell: Bell) -> None:
        """Answer until the other side is gone, says something that is no request, or has said enough.

        The jail stands still while its question is answered."""
        try:
            pace = Pace()
            for _ in range(MAX_REQUESTS):
                request = heard(channel, MAX_REQUEST)
                pace.wait()
                asks = request.get("verb") == "ask"
                with bell.standing_still() if asks else contextlib.nullcontext():
                    head, body, due = self._answer(request)
                    time.sleep(max(0.0, due - time.monotonic()))
                said(channel, head, body)
        except (EOFError, OSError, frame.FrameError):
            return

    def _answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes, float]:
        number = request.get("id")
        number = number if isinstance(number, int) else 0
        try:
            kind, value, body, due = self._verb(request)
            return {"id": number, "ok": True, "kind": kind, "value": value}, body, due
        except EnclaveError as refusal:
            self._record(REFUSED, {"code": refusal.code, "verb": str(request.get("verb"))[:16]})
            problem = Problem(
                code=refusal.code, words=refusal.words("en"), words_zh=refusal.words("zh"), place=refusal.place
            )
            return {"id": number, "ok": False, "problem": problem.model_dump(mode="json")}, b"", 0.0

    def _verb(self, request: dict[str, Any]) -> tuple[str, dict[str, Any], bytes, float]:
        verb, dataset = request.get("verb"), request.get("dataset")
        if dataset != self.asker.dataset.name:
            raise Refused("broker.other_dataset", granted=self.asker.dataset.name, asked=str(dataset)[:64])
        if verb == "describe":
            return "card", card(self.asker.dataset).model_dump(mode="json"), b"", 0.0
        sql, epsilon = request.get("sql"), request.get("epsilon")
        within = {name: request.get(name) for name in ("accuracy", "confidence")}
        texts = (epsilon, *within.values())
        if (
            verb not in ("quote", "ask")
            or not isinstance(sql, str)
            or not all(isinstance(t, str | None) for t in texts)
        ):
            raise BadInput("broker.bad_request")
        if self.asked >= MAX_QUESTIONS:
            raise Refused("broker.too_many", limit=MAX_QUESTIONS)
        self.asked += 1
        if verb == "quote":
            return "quote", self.asking.quote(self.asker, sql, epsilon, **within).model_dump(mode="json"), b"", 0.0
        answered = self.asking.ask(self.asker, sql, epsilon, **within)
        self._note(answered)
        return "answer", answered.head.model_dump(mode="json"), answered.body, answered.due

    def _note(self, answered: Answered) -> None:
        """Record an answer; what cannot be recorded is not given, and its channel ends no sooner than the reply would."""
        head = answered.head
        try:
            self._record(ASKED, {"answer": head.answer, "rho": head.rho_spent, "ledger_head": head.ledger_head})
        except Exception as trouble:  # after the charge there are no words, whatever it is
            log.error("an answer to %s is not recorded: %s", self.asker.run, type(trouble).__name__)
            time.sleep(max(0.0, answered.due - time.monotonic()))
            raise NoAnswer from trouble

    def _record(self, kind: str, detail: dict[str, Any]) -> None:
        with record(self.db, Event(kind, self.asker.member, self.asker.run, detail)):
            pass
