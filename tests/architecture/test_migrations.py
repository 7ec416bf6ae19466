"""The migrated databases have exactly the shape the packages declare, on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, inspect
from tests.oracle import servers

import enclave
from enclave.store import LEDGER, STATE
from enclave.store.database import connect, migrate


def declare_all_tables() -> None:
    for module in pkgutil.walk_packages(enclave.__path__, "enclave."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)


def shape(metadata: MetaData, engine: Engine) -> dict[str, set[tuple[str, bool, str]]]:
    """table → {(column, nullable, type family)} as declared."""
    return {
        t.name: {(c.name, bool(c.nullable), family(str(c.type.compile(engine.dialect)))) for c in t.columns}
        for t in metadata.tables.values()
    }


def found(engine: Engine) -> dict[str, set[tuple[str, bool, str]]]:
    look = inspect(engine)
    return {
        name: {
            (c["name"], bool(c["nullable"]), family(str(c["type"].compile(engine.dialect))))
            for c in look.get_columns(name)
        }
        for name in look.get_table_names()
        if name != "alembic_version"
    }


def family(sql_type: str) -> str:
    kind = sql_type.upper().split("(")[0].strip()
    return {"BYTEA": "BLOB", "INT": "INTEGER", "CHARACTER VARYING": "VARCHAR", "BIGINT": "BIGINT"}.get(kind, kind)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with servers.postgres() as url:
        yield url.replace("postgresql://", "postgresql+psycopg://")


@pytest.mark.parametrize(("which", "metadata"), [("state", STATE), ("ledger", LEDGER)])
def test_sqlite_has_the_declared_shape(which: str, metadata: MetaData, tmp_path: Path) -> None:
    declare_all_tables()
    engine = connect(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine, which)
    assert found(engine) == shape(metadata, engine)
    engine.dispose()


def test_postgresql_has_the_declared_shape_of_state(postgres: str) -> None:
    declare_all_tables()
    engine = connect(postgres)
    migrate(engine, "state")
    assert found(engine) == shape(STATE, engine)
    engine.dispose()
