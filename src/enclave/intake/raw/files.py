"""Which file holds a table, and which columns does it name?"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from enclave.errors import BadInput
from enclave.intake.columns import literal
from enclave.intake.raw.encoded import opening_text
from enclave.intake.resource import Resource


def find(folder: Path, table: Resource) -> Path:
    """The one file of `table` in `folder`."""
    there = [p for p in (folder / f"{table.path}.{ending}" for ending in table.formats) if p.is_file()]
    if not there:
        raise BadInput(
            "intake.no_file", table=table.name, expected=" or ".join(f"{table.path}.{e}" for e in table.formats)
        )
    if len(there) > 1:
        raise BadInput("intake.two_files", table=table.name, files=" and ".join(p.name for p in there))
    return there[0]


def csv_header(path: Path, table: Resource) -> list[str]:
    """The names in a CSV file's first line; BadInput when it is no header or not in the declared encoding."""
    text = opening_text(path, table.encoding)
    try:
        names = next(csv.reader([text.splitlines()[0]], delimiter=table.delimiter), [])
    except (IndexError, csv.Error):
        place = f"{path.name} line 1"
        raise BadInput("intake.malformed_line", place=place, table=table.name, count=1, lines="1") from None
    if not set(names) & {f.name for f in table.fields}:
        # A first line without one known name is a row: its words are data and are not repeated.
        raise BadInput("intake.no_header", place=path.name, table=table.name)
    return names


def parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    """(name, type) of the columns of a Parquet file."""
    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error:
        raise BadInput("intake.unreadable_file", place=path.name) from None
    return [(str(row[0]), str(row[1])) for row in rows]


def check_columns(place: str, table: Resource, columns: list[str]) -> None:
    """BadInput unless the columns are exactly the declared ones, each once (an engine does not tell `ID` from `id`)."""
    folded = [c.casefold() for c in columns]
    if twice := sorted({c for c in columns if folded.count(c.casefold()) > 1}):
        raise BadInput("intake.column_twice", place=place, table=table.name, columns=", ".join(twice))
    declared = {f.name for f in table.fields}
    if unknown := [c for c in columns if c not in declared]:
        raise BadInput("intake.unknown_column", place=place, table=table.name, columns=", ".join(unknown))
    if missing := sorted(declared - set(columns)):
        raise BadInput("intake.missing_column", place=place, table=table.name, columns=", ".join(missing))
