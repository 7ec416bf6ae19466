"""The operator enrols; the first operator comes out of nothing, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from enclave import people
from enclave.audit import verify_events
from enclave.errors import BadInput, NotFound, Refused, Tampered
from enclave.people import Role
from enclave.people.tables import certificates
from enclave.store import Keyring, Place, open_state, writing

if TYPE_CHECKING:
    from tests.conftest import Cast


def add(cast: Cast, name: str = "newcomer", real: str = "New Comer", roles: tuple[str, ...] = ("researcher",)) -> str:
    return people.add(cast.db, cast.keyring, cast.permissions, cast.member("operator"), name, real, roles)


def test_a_newcomer_can_log_in_and_the_event_says_who_let_them_in(cast: Cast) -> None:
    member = people.authenticate(cast.db, cast.keyring, add(cast))
    assert member.id == "newcomer"
    assert member.roles == {Role.RESEARCHER}
    event = cast.events("people.added")[-1]
    assert (event["actor"], event["subject"], event["detail"]["roles"]) == ("operator", "newcomer", ["researcher"])
    assert event["detail"]["allowed_by"] == "operator-keeps-accounts"
    assert verify_events(cast.db) > 0


@pytest.mark.parametrize("name", ["steward", "officer", "researcher", "checker", "auditor", "everything"])
def test_nobody_but_the_operator_enrols(cast: Cast, name: str) -> None:
    with pytest.raises(Refused):
        people.add(cast.db, cast.keyring, cast.permissions, cast.member(name), "friend", "A Friend", ["officer"])
    assert "friend" not in {entry.id for entry in people.listing(cast.db, cast.keyring)}


@pytest.mark.parametrize(
    "name", ["", "A", "a", "9lives", "two words", "x" * 32, "système", "home", "system", "unknown"]
)
def test_a_login_name_is_plain(cast: Cast, name: str) -> None:
    with pytest.raises(BadInput) as no:
        add(cast, name)
    assert no.value.code == "people.id_malformed"


@pytest.mark.parametrize("real", ["", "  ", "two\nlines", "x" * 65, "bell\a"])
def test_a_real_name_is_one_line(cast: Cast, real: str) -> None:
    with pytest.raises(BadInput):
        add(cast, real=real)


def test_chinese_names_are_names(cast: Cast) -> None:
    assert people.authenticate(cast.db, cast.keyring, add(cast, real="测试·用户")).real_name == "测试·用户"


@pytest.mark.parametrize("roles", [(), ("emperor",), ("auditor", "researcher")])
def test_roles_are_known_and_the_auditor_stands_alone(cast: Cast, roles: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        add(cast, roles=roles)


def test_a_login_name_is_given_once_and_the_failed_try_is_on_record(cast: Cast) -> None:
    with pytest.raises(Refused) as no:
        add(cast, "steward", roles=("officer",))
    assert no.value.code == "people.member_exists"
    assert cast.member("steward").roles == {"steward"}
    assert cast.events("access.refused")[-1]["detail"]["code"] == "people.member_exists"
    assert [event["subject"] for event in cast.events("people.added")].count("steward") == 1


def test_there_is_one_first_operator(cast: Cast) -> None:
    with pytest.raises(Refused) as no:
        people.first_operator(cast.db, cast.keyring, "second", "Second")
    assert no.value.code == "people.operator_exists"


def test_an_operator_is_not_reissued_while_one_can_log_in(cast: Cast) -> None:
    with pytest.raises(Refused) as no:
        people.reissue_operator(cast.db, cast.keyring, "operator")
    assert no.value.code == "people.operator_exists"


def test_an_operator_locked_out_is_reissued_and_nobody_else_is(cast: Cast) -> None:
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "operator")
    with pytest.raises(Refused) as no:
        people.reissue_operator(cast.db, cast.keyring, "steward")
    assert no.value.code == "people.not_operator"
    with pytest.raises(NotFound):
        people.reissue_operator(cast.db, cast.keyring, "ghost")
    token = people.reissue_operator(cast.db, cast.keyring, "operator")
    assert people.authenticate(cast.db, cast.keyring, token).roles == {"operator"}
    assert cast.events("people.operator_reissued")[0]["actor"] == "home"


def test_a_home_without_keys_enrols_nobody(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    place.make()
    db = open_state(place)
    with pytest.raises(NotFound):
        people.first_operator(db, Keyring(place), "operator", "Operator")
    db.dispose()


def test_the_list_shows_names_roles_and_who_can_still_log_in(cast: Cast) -> None:
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "checker")
    entries = {entry.id: entry for entry in people.listing(cast.db, cast.keyring)}
    assert set(entries) == set(cast.tokens)
    assert entries["both"].roles == {"steward", "officer"}
    assert not entries["checker"].live and entries["steward"].live


def test_the_list_notices_an_altered_account(cast: Cast) -> None:
    with writing(cast.db) as connection:
        connection.execute(
            update(certificates).where(certificates.c.member == "researcher").values(roles='["officer"]')
        )
    with pytest.raises(Tampered):
        people.listing(cast.db, cast.keyring)
