"""A database at its newest shape is opened by looking; any other is brought there, or refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from enclave.store import Place
from enclave.store.database import _newest, open_ledger


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "home")
    made.make()
    open_ledger(made).dispose()
    return made


@pytest.mark.parametrize("which", ["state", "ledger"])
def test_the_newest_revision_is_the_head_of_the_line(which: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"enclave.store:migrations/{which}")
    assert [_newest(which)] == ScriptDirectory.from_config(config).get_heads()


def test_to_open_a_home_waits_for_nobody_who_writes(place: Place) -> None:
    writer = sqlite3.connect(place.ledger, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    opened = open_ledger(place)
    with opened.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM entries").scalar() == 0
    opened.dispose()
    writer.execute("ROLLBACK")
    writer.close()


def test_a_database_of_a_later_version_is_not_opened(place: Place) -> None:
    with sqlite3.connect(place.ledger) as later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
    later.close()
    with pytest.raises(CommandError):
        open_ledger(place)
