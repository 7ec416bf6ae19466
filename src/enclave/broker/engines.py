"""Which extracts stand open?

One locked read-only engine per extract, opened by the first question that was reserved on it and kept: opening costs tens
of milliseconds and verifies the file's digest. Nothing is opened for a question that was not charged, and nothing that had
to be closed is opened again before an officer has looked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from enclave.catalogue import Dataset, open_key
from enclave.query import Engine
from enclave.query.emit import Statement
from enclave.query.plan import Key
from enclave.store import Keyring, Place

log = logging.getLogger("enclave.broker")


@dataclass
class Opening:
    """An engine that is opened when it is asked: whatever fails there is answered in the ordinary shape too."""

    extracts: OpenExtracts
    dataset: Dataset
    stood_open: float | None = None
    """When, on the monotonic clock; None before."""

    def open(self) -> Engine:
        """The engine, asked nothing."""
        found = self.extracts.engine(self.dataset)
        if self.stood_open is None:
            self.stood_open = time.monotonic()
        return found

    def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
        return self.open().totals(statements, keys, cap_ms)

    def groups(self, statement: Statement, cap_ms: int) -> list[tuple[str | None, int]]:
        return self.open().groups(statement, cap_ms)

    def tidy(self, freeze: Callable[[], int]) -> None:
        """Let the engine see to its catalog now, while the reply waits, if it is open: the next question need not. Where
        it is not clean, or cannot be looked at, it is closed; `freeze` says in which entry its persons were frozen."""
        engine = self.extracts.found(self.dataset)
        if engine is None:
            return
        try:
            engine.settle()
        except Exception:  # the answer stands: it was made, and is paid
            log.exception("the engine of %s version %d is not clean", self.dataset.name, self.dataset.version)
            if not engine.is_open:
                self.extracts.closed(engine, freeze)


class OpenExtracts:
    """The engines of one broker. One that had to be closed stays here, and shut, until a charge later than the freeze that
    followed shows that an officer lifted it."""

    def __init__(self, place: Place, keyring: Keyring) -> None:
        self._place = place
        self._keyring = keyring
        self._lock = threading.Lock()
        """Whoever opens or closes. Who only finds an engine waits for nobody: another extract may take minutes to open, and
        the moment of a reply is fixed."""
        self._open: dict[Dataset, Engine] = {}
        """By the whole dictionary: an engine opened under one is not lent to a question priced by another."""
        self._frozen: dict[Engine, int] = {}
        """Which ledger entry says why an engine is shut."""

    def is_open(self, dataset: Dataset) -> bool:
        found = self.found(dataset)
        return found is not None and found.is_open

    def found(self, dataset: Dataset) -> Engine | None:
        """The engine of `dataset`'s extract, if there is one, open or shut."""
        return self._open.get(dataset)

    def engine(self, dataset: Dataset) -> Engine:
        """The engine of `dataset`'s extract, opened now if need be."""
        found = self._open.get(dataset)
        if found is not None:
            return found
        with self._lock:
            found = self._open.get(dataset)
            if found is None:
                path, key = open_key(self._place, self._keyring, dataset)
                found = self._open[dataset] = self._of_same_text(dataset) or Engine(path, key)
            return found

    def closed(self, engine: Engine, freeze: Callable[[], int]) -> None:
        """An engine was found shut: what it is of is frozen, once; unless it was shut because its extract was destroyed."""
        with self._lock:
            if engine in self._open.values() and engine not in self._frozen:
                self._frozen[engine] = freeze()

    def charged(self, dataset: Dataset, entry: int) -> None:
        """A charge of ledger entry `entry` stands. An engine shut in an earlier one is forgotten: the freeze was lifted."""
        found = self._open.get(dataset)
        if found is None or found.is_open:
            return
        with self._lock:
            if 0 < self._frozen.get(found, 0) < entry:
                del self._frozen[found]
                self._open = {of: engine for of, engine in self._open.items() if engine is not found}

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
