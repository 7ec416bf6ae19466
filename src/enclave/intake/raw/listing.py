"""Which tables does a source hold, before any descriptor names them, and how are they written?

Of a folder's CSV files encoding and delimiter are found from the first block; a first line that is no header is a row, so
it is refused by the file's name and not one of its words is repeated.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from pydantic import TypeAdapter, ValidationError

from enclave.errors import BadInput
from enclave.intake.field import RawName
from enclave.intake.raw import files
from enclave.intake.raw.database import columns_of
from enclave.intake.raw.encoded import BLOCK, opening_text
from enclave.intake.raw.source import CATALOG, Folder, Server, Source
from enclave.intake.resource import Resource

_DELIMITERS = (",", "\t", ";", "|")
_PATH = re.compile(r"[^\W]([\w.-]{0,99})")
_ROW_LIKE = re.compile(r"\s*(?:[-+]?[\d.,/: \-TZ%]*\d[\d.,/: \-TZ%]*|\d{17}[\dXx]|[^@\s]+@[^@\s]+)?\s*")
"""What stands in a row and never in a header: nothing, a number, a date, an identity number, an address of mail."""

_OF_SERVER = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ($k$r$k$, $k$p$k$) AND NOT c.relispartition AND n.nspname !~ $p$^pg_|^information_schema$$p$ "
    "ORDER BY 1, 2"
)


@dataclass(frozen=True)
class Listed:
    """One table there is: what a descriptor would call it, and its columns with the types of the source ("" in CSV)."""

    path: str
    form: str
    """csv, parquet, duckdb or postgresql."""
    columns: tuple[tuple[str, str], ...]
    encoding: str = "utf-8"
    delimiter: str = ","


def tables_in(con: duckdb.DuckDBPyConnection, source: Source) -> tuple[Listed, ...]:
    """Every table of the source, by name; BadInput when there is none, or one that no descriptor could name."""
    found = tuple(_files(con, source.path) if isinstance(source, Folder) else _tables(con, source))
    if not found:
        raise BadInput("draft.no_tables", place=source.shown)
    return found


def table_at(con: duckdb.DuckDBPyConnection, source: Source, path: str) -> Listed:
    """The one table that a descriptor calls `path`; BadInput when it is not there."""
    asked = Resource(name="asked", path=path)
    if isinstance(source, Folder):
        file = files.find(source.path, asked.model_copy(update={"name": path}))
        return _csv(file) if file.suffix == ".csv" else _parquet(con, file)
    columns = columns_of(con, source, asked)
    return Listed(path, "postgresql" if isinstance(source, Server) else "duckdb", tuple(columns))


def as_text(listed: Listed, name: str) -> Resource:
    """A table, to be called `name`, all of whose columns are read as text and none is kept."""
    fields = [{"name": column, "type": "string", "treatment": "drop"} for column, _ in listed.columns]
    found = {"name": name, "path": listed.path, "encoding": listed.encoding, "delimiter": listed.delimiter}
    return Resource.model_validate(found | {"schema": {"fields": fields}})


def _files(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Listed]:
    there = sorted(p for p in folder.iterdir() if p.suffix in (".csv", ".parquet") and p.is_file())
    for path in there:
        if not _PATH.fullmatch(path.stem):
            raise BadInput("draft.file_name", place=path.name)
        if any(other.stem == path.stem and other != path for other in there):
            raise BadInput("intake.two_files", table=path.stem, files=f"{path.stem}.csv and {path.stem}.parquet")
        yield _csv(path) if path.suffix == ".csv" else _parquet(con, path)


def _parquet(con: duckdb.DuckDBPyConnection, path: Path) -> Listed:
    columns = files.parquet_columns(con, path)
    _check_names(path.name, [name for name, _ in columns])
    return Listed(path.stem, "parquet", tuple(columns))


def _csv(path: Path) -> Listed:
    encoding = _encoding(path)
    first = opening_text(path, encoding).splitlines()[0]
    delimiter = max(_DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    if not names or any(_ROW_LIKE.fullmatch(name) for name in names):
        raise BadInput("draft.no_header", place=path.name)
    _check_names(path.name, names)
    return Listed(path.stem, "csv", tuple((name, "") for name in names), encoding, delimiter)


def _encoding(path: Path) -> str:
    """UTF-8 where the first block is, else GB18030 (which holds GBK); whether all of it is so the scan finds out."""
    with path.open("rb") as file:
        block = file.read(BLOCK)
    try:
        block[: block.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _tables(con: duckdb.DuckDBPyConnection, source: Source) -> Iterator[Listed]:
    form = "postgresql" if isinstance(source, Server) else "duckdb"
    for schema, name in _names(con, source):
        usual = "public" if form == "postgresql" else "main"
        path = name if schema == usual else f"{schema}.{name}"
        if not _PATH.fullmatch(path):
            raise BadInput("draft.table_name", place=source.shown)
        columns = columns_of(con, source, Resource(name="asked", path=path))
        _check_names(path, [column for column, _ in columns])
        yield Listed(path, form, tuple(columns))


def _names(con: duckdb.DuckDBPyConnection, source: Source) -> list[tuple[str, str]]:
    try:
        if isinstance(source, Server):
            rows = con.execute(f"SELECT * FROM postgres_query('{CATALOG}', $q${_OF_SERVER}$q$)").fetchall()
        else:
            rows = con.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY 1, 2", [CATALOG]
            ).fetchall()
    except duckdb.Error:
        raise BadInput("intake.unreadable_source", place=source.shown) from None
    return [(str(schema), str(name)) for schema, name in rows]


_COLUMN: TypeAdapter[str] = TypeAdapter(RawName)


def _check_names(place: str, names: list[str]) -> None:
    """BadInput by position: what stands where a name should be may be data."""
    for n, name in enumerate(names, 1):
        try:
            _COLUMN.validate_python(name)
        except ValidationError:
            raise BadInput("draft.column_name", place=place, number=n) from None
