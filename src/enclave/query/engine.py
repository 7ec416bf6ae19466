"""What are the exact totals of a priced question? Nobody but `answer` may ask.

One locked, read-only DuckDB instance per open extract, one cursor per question. Only statements that `emit` made reach
it. In order:

    1  the encrypted file is attached read-only, its key bound as a parameter (a twin, which is public, has none)
    2  files, extensions and settings are closed, the configuration is locked, and the columns are read once
    3  a question has its own cursor and is interrupted at its cap
    4  totals come back in the order of the public keys, never in the engine's, saturated to int64; groups that are absent
       are 0
    5  between questions the catalog must hold nothing but the extract, or the engine closes. Whoever asked lets it be
       checked once the answer is made (`settle`), while the reply waits for its moment; where nobody did, the next question
       does before it begins
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from enclave.errors import Incident, Tampered
from enclave.query.clock import Clock
from enclave.query.emit import Statement
from enclave.query.groups import MOST_BITS
from enclave.query.plan import Key
from enclave.query.processors import for_asker, for_engines
from enclave.query.width import saturated
from enclave.query.written import CATALOG

THREADS = 2
MEMORY_MIB = 2560
"""A process of it stays within 4 GiB; what a question may hold of it at once is proved before (`held`)."""

LOCKS = (
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET lock_configuration = true",
)

FOREIGN = """
SELECT (SELECT count(*) FROM duckdb_tables() WHERE database_name <> $1 AND NOT internal)
     + (SELECT count(*) FROM duckdb_views() WHERE NOT internal)
     + (SELECT count(*) FROM duckdb_sequences())
     + (SELECT count(*) FROM duckdb_databases() WHERE NOT internal AND database_name NOT IN ($1, 'memory'))
"""


class Engine:
    """An open extract."""

    def __init__(self, path: Path, key: str | None, *, threads: int = THREADS, memory_mib: int = MEMORY_MIB) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{memory_mib}MiB",
            "perfect_ht_threshold": MOST_BITS,
        }
        with for_engines():
            self._connection = duckdb.connect(":memory:", config=config)
        self._open = True
        self._clock = Clock()
        self._checking = threading.Lock()
        self._asked_since = False
        """Something was asked since the catalog was seen to be clean."""
        self._unseen = False
        """It could not be looked at the last time: memory may have been short, which passes; twice running does not."""
        try:
            self._attach(path, key)
            for lock in LOCKS:
                self._connection.execute(lock)
            self.check_clean()
            self._warm()
        except BaseException:
            self.close()
            raise

    def _attach(self, path: Path, key: str | None) -> None:
        written = str(path).replace("'", "''")
        under = "" if key is None else "ENCRYPTION_KEY $1, "
        try:
            self._connection.execute(f"ATTACH '{written}' AS {CATALOG} ({under}READ_ONLY)", [key] if key else [])
        except duckdb.Error:
            raise Tampered("query.extract_does_not_open", dataset=path.parent.parent.name) from None

    def _warm(self) -> None:
        """Reads every column once, so that no question pays for the first touch (50 times a warm scan)."""
        cursor = self._connection.cursor()
        tables = "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = $1"
        for table, column in cursor.execute(tables, [CATALOG]).fetchall():
            cursor.execute(f'SELECT max("{column}") FROM {CATALOG}.main."{table}"').fetchall()
        cursor.close()

    def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]:
        """One vector per tally over the full product of the keys' domains. Raises on any failure: see `answer`."""
        cells, places = 1, []
        for key in reversed(keys):
            places.append({value: at * cells for at, value in enumerate(key.domain)})
            cells *= len(key.domain)
        places.reverse()
        vectors = {at: [0] * (cells * max(1, s.bins)) for s in statements for at in s.tallies}
        with self._asked(cap_ms) as cursor:
            for statement in statements:
                for row in cursor.execute(statement.sql).fetchall():
                    steps = [place.get(value) for place, value in zip(places, row, strict=False)]
                    if None not in steps and not (statement.bins and row[len(keys)] is None):
                        cell = sum(step for step in steps if step is not None)
                        if statement.bins:
                            cell = cell * statement.bins + row[len(keys)]
                        for at, total in zip(statement.tallies, row[statement.keys :], strict=True):
                            vectors[at][cell] = saturated(total or 0)  # no row, no sum
        return [vectors[at] for at in sorted(vectors)]

    def groups(self, statement: Statement, cap_ms: int) -> list[tuple[str | None, int]]:
        """Every value of an unlisted key with its total, in no order. Raises on any failure, as `totals`."""
        with self._asked(cap_ms) as cursor:
            return [(value, saturated(total or 0)) for value, total in cursor.execute(statement.sql).fetchall()]

    @contextmanager
    def _asked(self, cap_ms: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """3 and 5: on a clean catalog a cursor of its own, interrupted at the cap."""
        self.settle()
        cursor = self._connection.cursor()
        try:
            with self._clock.capped(cursor.interrupt, cap_ms), for_asker():
                yield cursor
        finally:
            cursor.close()
            self._asked_since = True

    @property
    def is_open(self) -> bool:
        """False once something of nobody's was found in it, or twice nothing could be looked at: it is asked no more."""
        return self._open

    def settle(self) -> None:
        """5: sees that nothing of the questions before is left; raises where something is, or was."""
        with self._checking:
            if self._open and self._asked_since:
                self._asked_since = False  # first: a question that ends meanwhile says so anew
                try:
                    self.check_clean()
                except BaseException:
                    self._asked_since = True
                    if self._unseen:
                        self.close()
                    self._unseen = True
                    raise
                self._unseen = False
        if not self._open:
            raise Incident("query.engine_failed")

    def check_clean(self) -> None:
        """5: nothing of one question is left for the next."""
        row = self._connection.cursor().execute(FOREIGN, [CATALOG]).fetchone()
        if row is None or row[0]:
            self.close()
            raise Incident("query.catalog_dirty", count=row[0] if row else "?")

    def close(self) -> None:
        self._open = False
        self._clock.close()
        self._connection.close()
