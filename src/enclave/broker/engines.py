"""Which extracts stand open?

One locked read-only engine per extract, opened by the first question that was reserved on it and kept: opening costs tens
of milliseconds and verifies the file's digest. Nothing is opened for a question that was not charged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from enclave.catalogue import Dataset, open_key
from enclave.query import Engine
from enclave.query.emit import Statement
from enclave.query.plan import Key
from enclave.store import Keyring, Place


@dataclass(frozen=True)
class Opening:
    """An engine that is opened when it is asked: whatever fails there is answered in the ordinary shape too."""

    extracts: OpenExtracts
    dataset: Dataset

    def open(self) -> None:
        """Open the engine, and ask it nothing."""
        self.extracts.engine(self.dataset)

    def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
        return self.extracts.engine(self.dataset).totals(statements, keys, cap_ms)

    def groups(self, statement: Statement, cap_ms: int) -> list[tuple[str | None, int]]:
        return self.extracts.engine(self.dataset).groups(statement, cap_ms)

    def settle(self) -> None:
        """Let the engine see to its catalog now, while the reply waits, if it is open: the next question need not."""
        engine = self.extracts.opened(self.dataset)
        if engine is not None:
            engine.settle()


class OpenExtracts:
    """The engines of one broker."""

    def __init__(self, place: Place, keyring: Keyring) -> None:
        self._place = place
        self._keyring = keyring
        self._lock = threading.Lock()
        self._open: dict[Dataset, Engine] = {}
        """By the whole dictionary: an engine opened under one is not lent to a question priced by another."""

    def is_open(self, dataset: Dataset) -> bool:
        return self.opened(dataset) is not None

    def opened(self, dataset: Dataset) -> Engine | None:
        """The engine of `dataset`'s extract, if it is open."""
        return self._open.get(dataset)

    def engine(self, dataset: Dataset) -> Engine:
        """The engine of `dataset`'s extract, opened now if need be."""
        with self._lock:
            found = self._open.get(dataset)
            if found is None:
                path, key = open_key(self._place, self._keyring, dataset)
                found = self._open[dataset] = self._of_same_text(dataset) or Engine(path, key)
            return found

    def close_destroyed(self, is_gone: Callable[[Dataset], bool]) -> None:
        """Close the engines of extracts that were destroyed: what they hold in memory goes too."""
        with self._lock:
            for engine in {self._open.pop(d) for d in [d for d in self._open if is_gone(d)]}:
                engine.close()

    def _of_same_text(self, dataset: Dataset) -> Engine | None:
        """An engine open under the same dictionary but for what was bought since: that moves no bound."""
        bare = replace(dataset, profile=None)
        return next((e for other, e in self._open.items() if replace(other, profile=None) == bare), None)

    def close(self) -> None:
        with self._lock:
            for engine in set(self._open.values()):
                engine.close()
            self._open.clear()
