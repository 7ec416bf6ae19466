"""A change and its event are one; an altered, removed or inserted event is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from enclave import audit
from enclave.audit import link_spelled, quoted
from enclave.errors import Tampered
from enclave.store import Place, open_state, reading


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=30), min_size=1, max_size=5))
def test_a_link_spelled_out_is_the_link(body: dict[str, str]) -> None:
    spelled = ",".join(f"{quoted(name)}:{quoted(body[name])}" for name in sorted(body))
    assert link_spelled("ab" * 32, f"{{{spelled}}}") == audit.link("ab" * 32, body)


PLANTED = audit.declare("test.planted", "a test planted this")


@pytest.fixture
def db(tmp_path: Path) -> Engine:
    place = Place(tmp_path)
    place.make()
    engine = open_state(place)
    for n in range(5):
        with audit.record(engine, audit.Event(PLANTED, "tester", f"thing-{n}", {"n": n})):
            pass
    return engine


def test_an_untouched_chain_verifies_from_event_one(db: Engine) -> None:
    assert audit.verify_events(db) == 5


@pytest.mark.parametrize(
    ("attack", "found_at"),
    [
        ("UPDATE events SET detail = '[]' WHERE seq = 3", 3),
        ("UPDATE events SET actor = 'somebody else' WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 2", 2),
        ("UPDATE events SET seq = seq + 10 WHERE seq = 5", 5),
    ],
)
def test_an_altered_event_is_found_where_it_was_altered(db: Engine, attack: str, found_at: int) -> None:
    with db.begin() as connection:
        connection.execute(text(attack))
    with pytest.raises(Tampered) as caught:
        audit.verify_events(db)
    assert caught.value.facts["seq"] == found_at


def test_a_failed_change_leaves_no_event(db: Engine) -> None:
    with pytest.raises(RuntimeError), audit.record(db, audit.Event(PLANTED, "tester", "thing")):
        raise RuntimeError
    assert audit.head(db).seq == 5


def test_an_undeclared_kind_cannot_be_recorded() -> None:
    with pytest.raises(ValueError, match="never declared"):
        audit.Event("test.unheard_of", "tester", "thing")


def test_a_reader_cannot_write(db: Engine) -> None:
    with reading(db) as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("DELETE FROM events"))
    with db.begin() as connection:  # the control: the same words through a writing connection do delete
        assert connection.execute(text("DELETE FROM events")).rowcount == 5


def test_floats_have_no_place_in_a_chained_body() -> None:
    with pytest.raises(TypeError):
        audit.canonical({"epsilon": 0.3})
