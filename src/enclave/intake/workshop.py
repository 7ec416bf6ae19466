"""Where are raw rows while they are worked on?

In one DuckDB instance in memory. What does not fit goes to a scratch folder (0700, encrypted by DuckDB under a key that
exists only in this process) which is removed at the end, also after a failure; after a crash what is left there opens for
nobody. The instance reaches no network, loads nothing by itself, and sees only the folders it is told of.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import duckdb_extension_httpfs  # type: ignore[import-untyped]  # the wheel holds one file and no code

from enclave.intake.columns import literal


@dataclass(frozen=True)
class Room:
    """How much of the machine a build may take."""

    memory: str = "2500MB"
    threads: int = 2


class Unopened(Exception):
    """What was to be opened cannot be: the engine's own words may hold an address, so none are kept."""


def _open(connection: duckdb.DuckDBPyConnection, opening: Iterable[str]) -> None:
    for statement in opening:
        try:
            connection.execute(statement)
        except duckdb.Error:
            raise Unopened from None


def openssl_extension() -> Path:
    """The wheel's extension: it brings the OpenSSL that writing encrypted files needs."""
    return next(Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension"))


@contextmanager
def workshop(
    scratch: Path, sees: tuple[Path, ...], room: Room, opening: Iterable[str] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh instance that may read and write below `sees` and spills, encrypted, below `scratch`.

    `opening` is run before its doors are closed: to attach a source that is a database. Unopened when that fails.
    """
    spill = Path(tempfile.mkdtemp(prefix=".spill-", dir=scratch))
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": room.memory,
        "threads": room.threads,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute(f"LOAD {literal(str(openssl_extension()))}")
        connection.execute("SET temp_file_encryption = true")
        connection.execute("SET enable_progress_bar = true")  # so that it can be asked how far it is (`watched`)
        connection.execute("SET enable_progress_bar_print = false")
        folders = ", ".join(literal(str(folder.resolve())) for folder in (*sees, spill))
        _open(connection, opening)
        connection.execute(f"SET allowed_directories = [{folders}]")
        connection.execute("SET enable_external_access = false")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)
