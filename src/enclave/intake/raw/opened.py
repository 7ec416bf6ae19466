"""How is one raw table laid open, its columns known to be exactly the declared ones?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from enclave.intake.columns import literal
from enclave.intake.field import RawField
from enclave.intake.raw import database, files, typed
from enclave.intake.raw.encoded import served
from enclave.intake.raw.source import Folder, Server, Source
from enclave.intake.resource import Resource

_CSV_TYPES = {
    "string": "VARCHAR", "integer": typed.NUMBER, "decimal": typed.NUMBER, "date": "DATE", "datetime": "TIMESTAMP",
}  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """One raw table under a view whose columns have their declared types."""

    table: Resource
    place: str
    """What people call it: the file's name, or the table's in a database."""
    form: str
    """csv, parquet, duckdb or postgresql."""
    columns: tuple[tuple[str, str], ...]
    """(name, type as found), in the source's own order; a CSV file has no types."""
    path: Path | None = None
    pipe: Path | None = None
    """Where the engine reads the file when it is not UTF-8."""

    @property
    def view(self) -> str:
        return f'"raw_{self.table.name}"'

    @property
    def rejects(self) -> str:
        return f"rejects_{self.table.name}"

    @property
    def numbered_from(self) -> int:
        """The number of the first row; 0 where rows have no order of their own, and so no numbers."""
        return {"csv": 2, "postgresql": 0}.get(self.form, 1)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around every scan of the view: inside, it may be scanned once. BadInput at the end for bytes of another code."""
        if self.pipe is None or self.path is None:
            yield
            return
        with served(self.path, self.table.encoding, self.pipe):
            yield

    def flag(self, field: RawField) -> str | None:
        """The view's column that is true where `field` is not of its declared type; None when it cannot fail."""
        if typed.as_text(self.table, field) or (self.form == "csv" and not _own_form(field)):
            return None
        kind = "VARCHAR" if self.form == "csv" else dict(self.columns)[field.name].split("(")[0]
        return typed.unread(field.name) if typed.may_fail(field, kind) else None


def open_raw(con: duckdb.DuckDBPyConnection, source: Source, table: Resource, *, zone: str = "") -> Raw:
    """Check the columns of the table and lay the view over it. `zone` is that of moments that carry one."""
    if isinstance(source, Folder):
        return _open_file(con, source.path, table, zone)
    columns = database.columns_of(con, source, table)
    form = "postgresql" if isinstance(source, Server) else "duckdb"
    files.check_columns(table.path, table, [name for name, _ in columns])
    if form == "postgresql":
        columns = [(name, typed.engine_type(kind)) for name, kind in columns]
    raw = Raw(table, table.path, form, tuple(columns))
    return _viewed(con, raw, typed.select(table, raw.place, columns, database.scan_of(source, table), zone))


def _open_file(con: duckdb.DuckDBPyConnection, folder: Path, table: Resource, zone: str) -> Raw:
    path = files.find(folder, table)
    if path.suffix == ".parquet":
        columns = files.parquet_columns(con, path)
        files.check_columns(path.name, table, [name for name, _ in columns])
        raw = Raw(table, path.name, "parquet", tuple(columns), path)
        scan = f"read_parquet({literal(str(path))})"
        return _viewed(con, raw, typed.select(table, path.name, columns, scan, zone))
    names = files.csv_header(path, table)
    files.check_columns(path.name, table, names)
    pipe = None if table.encoding == "utf-8" else _scratch(con) / f"{table.name}.pipe"
    if pipe is not None and not pipe.exists():
        os.mkfifo(pipe, 0o600)
    raw = Raw(table, path.name, "csv", tuple((name, "") for name in names), path, pipe)
    return _viewed(con, raw, _csv_select(raw, pipe or path))


def _viewed(con: duckdb.DuckDBPyConnection, raw: Raw, select: str) -> Raw:
    con.execute(f"CREATE OR REPLACE TEMP VIEW {raw.view} AS {select}")
    return raw


def _scratch(con: duckdb.DuckDBPyConnection) -> Path:
    """The engine's own scratch folder, which it may read."""
    (folder,) = con.execute("SELECT current_setting('temp_directory')").fetchall()[0]
    return Path(folder)


def _own_form(field: RawField) -> bool:
    """Whether a CSV column is first read as text because its form is stated."""
    return bool(field.format) or field.fold


def _csv_type(table: Resource, name: str) -> str:
    field = table.field(name)
    assert field is not None
    return "VARCHAR" if typed.as_text(table, field) or _own_form(field) else _CSV_TYPES[field.type]


def _csv_select(raw: Raw, path: Path) -> str:
    table = raw.table
    types = {name: _csv_type(table, name) for name, _ in raw.columns}
    listed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    missing = ", ".join(literal(word) for word in ("", *table.missing))
    scan = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, delim = {literal(table.delimiter)}, "
        f"quote = '\"', escape = '\"', nullstr = [{missing}], strict_mode = true, null_padding = false, "
        f"columns = {{{listed}}}, "
        f"store_rejects = true, rejects_limit = 0, rejects_table = {literal(raw.rejects)}, "
        f"rejects_scan = {literal('scan_' + raw.rejects)})"
    )
    if not any(_own_form(field) for field in table.fields):
        return f"SELECT * FROM {scan}"
    parts: list[str] = []
    for name, kind in types.items():
        field = table.field(name)
        assert field is not None
        parts += typed.parts(table, field, raw.place, kind, "") if _own_form(field) else [f'"{name}"']
    return f"SELECT {', '.join(parts)} FROM {scan}"
