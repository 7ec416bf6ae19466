"""What may be asked of a dataset? The same three verbs on the real extract behind the wall and on its twin at home."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Protocol

from domicile.client.answer import Answer
from domicile.client.api import Api
from domicile.client.channel import Channel
from domicile.client.problem import refusal
from domicile.client.session import load
from domicile.wire.shapes import DatasetCard, Quote

Decimals = float | str | Decimal


class Door(Protocol):
    """Whoever answers: the broker behind the wall, the API at home."""

    def describe(self, dataset: str) -> DatasetCard: ...

    def quote(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Quote: ...

    def ask(
        self, dataset: str, sql: str, epsilon: str | None, *, accuracy: str | None = None, confidence: str | None = None
    ) -> Answer: ...


@dataclass(frozen=True)
class Dataset:
    """A dataset by name. Opening it reads nothing and costs nothing."""

    name: str
    _door: Door = field(repr=False, compare=False)

    def describe(self) -> DatasetCard:
        """Tables, columns, bounds and code lists, as the dictionary declares them: free."""
        return self._door.describe(self.name)

    def quote(
        self,
        sql: str,
        *,
        epsilon: Decimals | None = None,
        accuracy: Decimals | None = None,
        confidence: Decimals | None = None,
    ) -> Quote:
        """What `sql` would cost and how noisy it would be: free. Say `epsilon`, or how near the truth the noise must stay:
        `accuracy=50, confidence=0.95` (counts and sums)."""
        within = {"accuracy": _plain(accuracy, "accuracy"), "confidence": _plain(confidence, "confidence")}
        return self._door.quote(self.name, sql, _plain(epsilon, "epsilon"), **within)

    def sql(
        self,
        sql: str,
        *,
        epsilon: Decimals | None = None,
        accuracy: Decimals | None = None,
        confidence: Decimals | None = None,
    ) -> Answer:
        """Ask, and pay `epsilon`, or the least that keeps the noise within `accuracy` with `confidence`; the same question
        costs nothing twice."""
        within = {"accuracy": _plain(accuracy, "accuracy"), "confidence": _plain(confidence, "confidence")}
        return self._door.ask(self.name, sql, _plain(epsilon, "epsilon"), **within)


def _plain(number: Decimals | None, what: str) -> str | None:
    """A number as the decimal text that travels: what was typed, never a binary fraction of it."""
    if number is None:
        return None
    try:
        value = Decimal(str(number))
    except InvalidOperation as broken:
        raise refusal(f"{what}_wrong", place=what) from broken
    if isinstance(number, bool) or not value.is_finite() or value <= 0:
        raise refusal(f"{what}_wrong", place=what)
    return format(value, "f")


def open_dataset(name: str) -> Dataset:
    """The dataset called `name`: the real one behind the wall, its twin at home."""
    return Dataset(name, Channel.inherited() or Api(load()))
