"""Is a commit of anybody else seen once, and nothing else?"""

from __future__ import annotations

import contextlib
from pathlib import Path

import enclave.people  # noqa: F401 - declares the kind of event that is recorded here
from enclave.audit import Event, record
from enclave.store import Changes, Place, open_state, reading


def test_a_commit_is_seen_once(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    place.make()
    mine, theirs = open_state(place), open_state(place)
    with contextlib.closing(Changes(mine)) as changes:
        assert changes.new() and not changes.new()
        with reading(theirs):
            assert not changes.new(), "to read is no change"
        for db in (theirs, mine):  # of another process, and of this one by another connection
            with record(db, Event("access.refused", "operator", "operator", {})):
                assert not changes.new(), "not before it is committed"
            assert changes.new() and not changes.new()
    mine.dispose()
    theirs.dispose()


def test_where_the_look_fails_there_may_have_been_something(tmp_path: Path) -> None:
    """A look that raised would end the worker's loop, which no trouble may."""
    place = Place(tmp_path / "home")
    place.make()
    db = open_state(place)
    with contextlib.closing(Changes(db)) as changes:
        assert changes.new() and not changes.new()
        assert changes._kept is not None and changes._kept.driver_connection is not None
        changes._kept.driver_connection.close()
        assert changes.new() and changes.new()
