"""How are raw tables opened, and what may be heard of the engine while they are?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from enclave.errors import BadInput, Incident, Refused
from enclave.intake import raw
from enclave.intake.workshop import Room, Unopened, workshop


def _is_full(failed: duckdb.Error) -> bool:
    """Whether the engine failed for want of room on disk. It says so in words only, under several kinds of error."""
    said = str(failed).casefold()
    return "no space left" in said or "max_temp_directory_size" in said


@contextmanager
def quietly(scratch: Path) -> Iterator[None]:
    """The engine's own words may quote a row: only the kind of its failure is passed on, and whether the disk is full."""
    try:
        yield
    except duckdb.Error as failed:
        if _is_full(failed):
            raise Refused("intake.disk_full", place=str(scratch)) from None
        raise Incident("intake.engine_failed", kind=type(failed).__name__) from None


@contextmanager
def opened(
    source: raw.Source, scratch: Path, sees: tuple[Path, ...], room: Room | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workshop in which `source` can be read; BadInput when it cannot be reached."""
    try:
        with workshop(scratch, (*source.sees, *sees), room or Room(), source.opening()) as con:
            yield con
    except Unopened:
        raise BadInput("intake.unreadable_source", place=source.shown) from None
