"""Where do raw tables lie?

    FOLDER                      one CSV or Parquet file per table (an OMOP folder is one)
    FILE.duckdb                 a DuckDB database; the descriptor's `path` is `table` or `schema.table`
    postgresql://USER@HOST/DB   a PostgreSQL server, read in read-only transactions

A password is never part of the address: command lines are seen by everybody on a machine. libpq takes it from
PGPASSWORD, PGPASSFILE or ~/.pgpass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from enclave.errors import BadInput, Refused
from enclave.intake.columns import literal

CATALOG = "raw_source"
"""Under this name a database that is the source is attached."""

_DATABASES = (".duckdb", ".db", ".ddb")
_SERVERS = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Folder:
    """Files in a folder."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)

    @property
    def sees(self) -> tuple[Path, ...]:
        """What an engine that reads it must be able to see."""
        return (self.path,)

    def opening(self) -> Iterator[str]:
        """SQL to run before the engine's doors are closed."""
        return iter(())


@dataclass(frozen=True)
class DatabaseFile:
    """A DuckDB file; only its base tables are read: a view in it would be somebody else's SQL."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)

    @property
    def sees(self) -> tuple[Path, ...]:
        return ()

    def opening(self) -> Iterator[str]:
        yield f"ATTACH {literal(str(self.path))} AS {CATALOG} (READ_ONLY)"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, named by a libpq address without a password."""

    url: str

    @property
    def shown(self) -> str:
        """The address without its parameters."""
        return self.url.split("?")[0]

    @property
    def sees(self) -> tuple[Path, ...]:
        return ()

    def opening(self) -> Iterator[str]:
        yield f"LOAD {literal(str(_scanner()))}"
        yield f"ATTACH {literal(self.url)} AS {CATALOG} (TYPE postgres, READ_ONLY)"


Source = Folder | DatabaseFile | Server
Where = str | Path | Source


def _scanner() -> Path:
    """The extension that reads PostgreSQL, from its wheel: nothing is fetched at run time."""
    try:
        import duckdb_extension_postgres_scanner as wheel  # type: ignore[import-untyped]  # one file and no code
    except ImportError:
        raise Refused("intake.no_postgres_reader") from None
    return next(Path(wheel.__file__).parent.rglob("*.duckdb_extension"))


def source_of(where: Where) -> Source:
    """The source that `where` names; BadInput when it is none."""
    if not isinstance(where, str | Path):
        return where
    if str(where).startswith(_SERVERS):
        return _server(str(where))
    path = Path(where).absolute()
    if any(mark in str(path) for mark in "*?[]"):
        raise BadInput("intake.folder_name", place=str(path))
    if path.is_dir():
        return Folder(path)
    if path.is_file() and path.suffix in _DATABASES:
        return DatabaseFile(path)
    raise BadInput("intake.no_source", place=str(path))


def _server(url: str) -> Server:
    try:
        parts = urlsplit(url)
        secret = parts.password or any(name == "password" for name, _ in parse_qsl(parts.query))
    except ValueError:
        raise BadInput("intake.no_source", place="postgresql://…") from None
    if secret:
        raise Refused("intake.password_in_address", place=f"postgresql://{parts.hostname or ''}{parts.path}")
    return Server(url)
