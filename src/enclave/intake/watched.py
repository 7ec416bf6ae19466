"""How far is the statement that the engine works on?

Asked of the engine from a second thread, four times a second, and told in rows: a steward who takes ten million rows in
sees how many are done and, where somebody watches, how much time is left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from enclave.intake.alongside import alongside

Progress = Callable[[str, int, int | None], None]
"""(stage, rows done, rows in all or None)."""

_TURN = 0.25


def silent(stage_name: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@contextmanager
def watched(con: duckdb.DuckDBPyConnection, progress: Progress, stage: str, rows: int | None) -> Iterator[None]:
    """While inside, tell how many of about `rows` the engine is through with."""
    progress(stage, 0, rows)
    if not rows:
        yield
        return

    def tell(ended: threading.Event) -> None:
        furthest = 0
        while not ended.wait(_TURN):
            share = con.query_progress()  # -1 until the engine knows
            furthest = max(furthest, int(rows * min(share, 100.0) / 100)) if share > 0 else furthest
            progress(stage, furthest, rows)

    with alongside(tell):
        yield
