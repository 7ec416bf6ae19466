"""Which table of an attached database holds a table, and with which columns?"""

from __future__ import annotations

import duckdb

from enclave.errors import BadInput
from enclave.intake.columns import literal
from enclave.intake.raw.source import CATALOG, Server, Source
from enclave.intake.resource import Resource

_OF_SERVER = (
    "SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = $s${schema}$s$ AND c.relname = $t${name}$t$ "
    "ORDER BY a.attnum"
)


def place_of(table: Resource, source: Source) -> tuple[str, str]:
    """(schema, table) that the descriptor's `path` names."""
    schema, _, name = table.path.rpartition(".")
    return schema or ("public" if isinstance(source, Server) else "main"), name


def columns_of(con: duckdb.DuckDBPyConnection, source: Source, table: Resource) -> list[tuple[str, str]]:
    """(name, type) of the columns; BadInput when there is no such table. A server's types are in its own words."""
    schema, name = place_of(table, source)
    try:
        rows = _server_columns(con, schema, name) if isinstance(source, Server) else _file_columns(con, schema, name)
    except duckdb.Error:
        raise BadInput("intake.unreadable_source", place=source.shown) from None
    if not rows:
        raise BadInput("intake.no_table", place=source.shown, table=table.name, expected=f"{schema}.{name}")
    return rows


def _server_columns(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[tuple[str, str]]:
    query = literal(_OF_SERVER.format(schema=schema, name=name))
    rows = con.execute(f"SELECT * FROM postgres_query('{CATALOG}', {query})").fetchall()
    return [(str(column), str(kind)) for _, column, kind in rows]


def _file_columns(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[tuple[str, str]]:
    """Of a base table only: a view is somebody else's SQL, and would run in our engine."""
    rows = con.execute(
        "SELECT c.column_name, c.data_type FROM duckdb_columns() c "
        "JOIN duckdb_tables() t USING (database_name, schema_name, table_name) "
        "WHERE c.database_name = ? AND c.schema_name = ? AND c.table_name = ? "
        "ORDER BY c.column_index",
        [CATALOG, schema, name],
    ).fetchall()
    return [(str(column), str(kind)) for column, kind in rows]


def scan_of(source: Source, table: Resource) -> str:
    """The table as SQL names it."""
    schema, name = place_of(table, source)
    return f'{CATALOG}."{schema}"."{name}"'
