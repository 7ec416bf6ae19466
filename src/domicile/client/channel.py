"""How does a notebook behind the wall reach the broker?

Over the one connected socket the jail was started with (`DOMICILE_CHANNEL` is its number): a request frame, a reply frame,
one at a time. No descriptor is ever passed, no address resolved.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
from typing import Any

from domicile.client.answer import Answer
from domicile.client.problem import received, refusal
from domicile.wire import frame
from domicile.wire.shapes import AnswerHead, DatasetCard, Quote

VARIABLE = "DOMICILE_CHANNEL"

_opened: dict[int, Channel] = {}


class Channel:
    """The broker's end of three verbs, over a connected stream."""

    def __init__(self, stream: frame.Stream) -> None:
        self._stream = stream
        self._numbers = itertools.count(1)
        self._turn = threading.Lock()

    @classmethod
    def inherited(cls) -> Channel | None:
        """The channel this process was started with; None outside the wall."""
        number = os.environ.get(VARIABLE, "")
        if not number.isdecimal():
            return None
        if int(number) not in _opened:
            _opened[int(number)] = cls(socket.socket(fileno=int(number)))
        return _opened[int(number)]

    def describe(self, dataset: str) -> DatasetCard:
        return DatasetCard.model_validate(self._ask("describe", "card", dataset)[0])

    def quote(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Quote:
        price = {"epsilon": epsilon, "accuracy": accuracy, "confidence": confidence}
        return Quote.model_validate(self._ask("quote", "quote", dataset, sql, price)[0])

    def ask(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Answer:
        price = {"epsilon": epsilon, "accuracy": accuracy, "confidence": confidence}
        value, body = self._ask("ask", "answer", dataset, sql, price)
        return Answer.read(AnswerHead.model_validate(value), body)

    def _ask(
        self, verb: str, kind: str, dataset: str, sql: str | None = None, price: dict[str, str | None] | None = None
    ) -> tuple[Any, bytes]:
        with self._turn:
            number = next(self._numbers)
            request = {"verb": verb, "dataset": dataset, "sql": sql, **(price or {}), "id": number}
            try:
                frame.send(self._stream, request)
                head, body = frame.receive(self._stream)
            except (OSError, EOFError) as gone:
                raise refusal("channel_closed") from gone
            except frame.FrameError as broken:
                raise refusal("unexpected", status="frame") from broken
        if head.get("id") != number:
            raise refusal("unexpected", status="order")
        if not head.get("ok"):
            raise received(head.get("problem"), "channel")
        if head.get("kind") != kind:
            raise refusal("unexpected", status="kind")
        return head.get("value"), body
