"""How are raw rows read? This module alone opens raw files.

A file is taken exactly as the descriptor says or not at all: every column named, every line well-formed, every value of
its type. A complaint names file, line and column; never what stands there.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from enclave.errors import BadInput, EnclaveError, Refused, Tampered
from enclave.intake.columns import literal
from enclave.intake.package import RawField, Resource

_SHOWN_LINES = 10
_HEADER_BYTES = 2**20
_NUMBER = "DECIMAL(18,6)"
_CSV_TYPES = {"string": "VARCHAR", "integer": _NUMBER, "decimal": _NUMBER, "date": "DATE", "datetime": "TIMESTAMP"}
_PARQUET_TYPES = {
    "string": ("VARCHAR", "ENUM"),
    "integer": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"),
    "decimal": ("DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE"),
    "date": ("DATE",),
    "datetime": ("TIMESTAMP", "DATE"),
}
"""Declared type → the Parquet types (as DuckDB names them, up to a bracket) that may stand for it."""


@dataclass(frozen=True)
class RawFile:
    """One table's file, its columns known to be exactly the declared ones."""

    table: Resource
    path: Path
    format: str
    columns: tuple[str, ...]
    """In the file's own order."""

    @property
    def view(self) -> str:
        return f'"raw_{self.table.name}"'

    @property
    def rejects(self) -> str:
        return f"rejects_{self.table.name}"


def find(folder: Path, table: Resource) -> Path:
    """The one file of `table` in `folder`."""
    if any(mark in str(folder) for mark in "*?[]"):
        raise BadInput("intake.folder_name", place=str(folder))
    there = [p for p in (folder / f"{table.path}.{ending}" for ending in table.formats) if p.is_file()]
    if not there:
        raise BadInput(
            "intake.no_file", table=table.name, expected=" or ".join(f"{table.path}.{e}" for e in table.formats)
        )
    if len(there) > 1:
        raise BadInput("intake.two_files", table=table.name, files=" and ".join(p.name for p in there))
    return there[0]


def open_file(con: duckdb.DuckDBPyConnection, folder: Path, table: Resource) -> RawFile:
    """Check the columns of the table's file and lay a view over it, each column with its declared type."""
    path = find(folder, table)
    described = (
        _parquet_columns(con, path) if path.suffix == ".parquet" else dict.fromkeys(_csv_header(path, table), "")
    )
    columns = tuple(described)
    _check_columns(path, table, columns)
    raw = RawFile(table, path, path.suffix.removeprefix("."), columns)
    select = _parquet_select(raw, described) if raw.format == "parquet" else _csv_select(raw)
    con.execute(f"CREATE OR REPLACE TEMP VIEW {raw.view} AS {select}")
    return raw


def _csv_header(path: Path, table: Resource) -> list[str]:
    with path.open("rb") as file:
        first = file.readline(_HEADER_BYTES)
    try:
        names = next(csv.reader([first.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error):
        raise BadInput(
            "intake.malformed_line", place=f"{path.name} line 1", table=table.name, count=1, lines="1"
        ) from None
    if not set(names) & {f.name for f in table.fields}:
        # A first line without one known name is a row: its words are data and are not repeated.
        raise BadInput("intake.no_header", place=path.name, table=table.name)
    return names


def _parquet_columns(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error:
        raise BadInput("intake.unreadable_file", place=path.name) from None
    return {str(row[0]): str(row[1]) for row in rows}


def _check_columns(path: Path, table: Resource, columns: tuple[str, ...]) -> None:
    declared = {f.name for f in table.fields}
    unknown = [c for c in columns if c not in declared]
    if unknown:
        raise BadInput("intake.unknown_column", place=path.name, table=table.name, columns=", ".join(unknown))
    if missing := sorted(declared - set(columns)):
        raise BadInput("intake.missing_column", place=path.name, table=table.name, columns=", ".join(missing))
    if len(set(columns)) != len(columns):
        twice = sorted({c for c in columns if columns.count(c) > 1})
        raise BadInput("intake.column_twice", place=path.name, table=table.name, columns=", ".join(twice))


def _as_text(table: Resource, field: RawField) -> bool:
    """Identifiers are text whatever they look like, and dropped columns are not interpreted unless a rule compares them."""
    in_rule = any(field.name in rule.columns for rule in table.row_rules)
    return not in_rule and all(o.treatment in ("drop", "pseudonym") for o in field.yields)


def _csv_select(raw: RawFile) -> str:
    types = []
    for name in raw.columns:
        field = raw.table.field(name)
        assert field is not None
        kind = "VARCHAR" if _as_text(raw.table, field) else _CSV_TYPES[field.type]
        types.append(f"{literal(name)}: {literal(kind)}")
    return (
        f"SELECT * FROM read_csv({literal(str(raw.path))}, auto_detect = false, header = true, delim = ',', quote = '\"', "
        f"escape = '\"', nullstr = '', strict_mode = true, null_padding = false, columns = {{{', '.join(types)}}}, "
        f"store_rejects = true, rejects_limit = 0, rejects_table = {literal(raw.rejects)}, "
        f"rejects_scan = {literal('scan_' + raw.rejects)})"
    )


def _parquet_select(raw: RawFile, described: dict[str, str]) -> str:
    parts = []
    for name, found in described.items():
        field = raw.table.field(name)
        assert field is not None
        if found.split("(")[0] not in _PARQUET_TYPES[field.type] and not _as_text(raw.table, field):
            raise BadInput(
                "intake.wrong_type", place=f"{raw.path.name} {name}", column=name, expected=field.type, found=found
            )
        column = f'"{name}"'
        if _as_text(raw.table, field) and field.type != "string":
            column = f"CAST({column} AS VARCHAR)"
        elif field.type in ("integer", "decimal"):
            column = f"TRY_CAST({column} AS {_NUMBER})"
            parts.append(f'"{name}" IS NOT NULL AND {column} IS NULL AS "{unread(name)}"')
        parts.append(f'{column} AS "{name}"')
    return f"SELECT {', '.join(parts)} FROM read_parquet({literal(str(raw.path))})"


def unread(name: str) -> str:
    """The view's flag: the value stands in the file but is not of the declared type."""
    return f"unread {name}"


def wrong_values(raw: RawFile) -> dict[str, str]:
    """Column → SQL that is true where its value is not of its declared type; `check_read` covers what the reader saw."""
    found = {}
    for field in raw.table.fields:
        if _as_text(raw.table, field) or field.type not in ("integer", "decimal"):
            continue
        tests = [f'r."{unread(field.name)}"'] if raw.format == "parquet" else []
        if field.type == "integer":
            tests.append(f'coalesce(r."{field.name}" <> trunc(r."{field.name}"), false)')
        if tests:
            found[field.name] = f"({' OR '.join(tests)})"
    return found


def wrong_value(con: duckdb.DuckDBPyConnection, raw: RawFile, column: str, count: int) -> BadInput:
    """The complaint about values that `wrong_values` found, with the first rows they stand in (a CSV's header is line 1)."""
    numbered = f"SELECT row_number() OVER () AS n, {wrong_values(raw)[column]} AS wrong FROM {raw.view} r"
    rows = con.execute(f"SELECT n FROM ({numbered}) WHERE wrong ORDER BY n LIMIT {_SHOWN_LINES}").fetchall()
    lines = [int(n) + (raw.format == "csv") for (n,) in rows]
    place = f"{raw.path.name} line {lines[0]}"
    return BadInput(
        "intake.wrong_value", place=place, table=raw.table.name, column=column, count=count, lines=_shown(lines, count)
    )


def _shown(lines: list[int], count: int) -> str:
    return ", ".join(map(str, lines)) + (", …" if count > len(lines) else "")


def check_read(con: duckdb.DuckDBPyConnection, raw: RawFile) -> None:
    """After the one scan of a CSV file: BadInput when any line was malformed or held a value of another type."""
    if raw.format != "csv":
        return
    for kind, code in (("<>", "intake.malformed_line"), ("=", "intake.wrong_value")):
        rows = con.execute(
            f'SELECT line_byte_position, min(column_name) FROM "{raw.rejects}" '
            f"WHERE error_type::VARCHAR {kind} 'CAST' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        if not rows:
            continue
        lines = _line_numbers(raw.path, [int(row[0]) for row in rows[:_SHOWN_LINES]])
        column = "" if kind == "<>" else str(rows[0][1])
        place = f"{raw.path.name} line {lines[0]}"
        raise BadInput(
            code, place=place, table=raw.table.name, count=len(rows), lines=_shown(lines, len(rows)), column=column
        )


def _line_numbers(path: Path, positions: list[int]) -> list[int]:
    """Byte positions (ascending) as line numbers: the reader counts records, people count lines."""
    numbers, line, at = [], 1, 0
    with path.open("rb") as file:
        for position in positions:
            while at < position:
                block = file.read(min(2**20, position - at))
                line, at = line + block.count(b"\n"), at + len(block)
                if not block:
                    break
            numbers.append(line)
    return numbers


def unreadable(raw: RawFile) -> EnclaveError:
    """The engine's own words may quote a row: they are not passed on."""
    return BadInput("intake.unreadable_file", place=raw.path.name)


def check_generated(folder: Path, files: list[Path]) -> None:
    """A demo takes only what the generator made: its `generator.json` must name every file with its digest."""
    try:
        stated = json.loads((folder / "generator.json").read_bytes())["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused("intake.not_generated", place=str(folder)) from None
    for path in files:
        with path.open("rb") as file:
            if stated.get(path.name) != hashlib.file_digest(file, "sha256").hexdigest():
                raise Tampered("intake.generated_altered", place=path.name)
