"""Attack: go on with a token that has run out, or put its end off in the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from enclave import people
from enclave.audit.event import now
from enclave.errors import Refused, Tampered

if TYPE_CHECKING:
    from tests.conftest import Cast


def days_from_now(days: int) -> str:
    return (datetime.fromisoformat(now()) + timedelta(days=days)).isoformat(timespec="microseconds")


def edit(cast: Cast, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        assert file.execute(statement, values).rowcount > 0
        file.commit()


def test_a_token_ends_when_it_said_it_would(cast: Cast) -> None:
    token = cast.tokens["researcher"]
    assert people.authenticate(cast.db, cast.keyring, token, at=days_from_now(29)).id == "researcher"  # the control
    with pytest.raises(Refused) as no:
        people.authenticate(cast.db, cast.keyring, token, at=days_from_now(31))
    assert no.value.code == "people.token_expired"
    assert "operator" in no.value.words("en") and "运维员" in no.value.words("zh")
    (event,) = cast.events("access.refused")
    assert event["actor"] == "researcher" and token not in str(event)


def test_its_end_cannot_be_put_off_in_the_row(cast: Cast) -> None:
    edit(cast, "UPDATE tokens SET expires_at = ?", days_from_now(999))
    with pytest.raises(Refused) as no:
        people.authenticate(cast.db, cast.keyring, cast.tokens["researcher"], at=days_from_now(31))
    assert no.value.code == "people.token_expired"


def test_nor_in_the_certificate(cast: Cast) -> None:
    edit(cast, "UPDATE tokens SET expires_at = ?", days_from_now(999))
    edit(cast, "UPDATE certificates SET ends_at = ?", days_from_now(999))
    with pytest.raises(Tampered):
        people.authenticate(cast.db, cast.keyring, cast.tokens["researcher"], at=days_from_now(31))


def test_a_revoked_token_does_not_come_back(cast: Cast) -> None:
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "researcher")
    with pytest.raises(Refused) as no:
        cast.member("researcher")
    assert no.value.code == "people.token_revoked"
    edit(cast, "UPDATE tokens SET revoked_at = NULL WHERE member = ?", "researcher")
    with pytest.raises(Refused) as still:
        cast.member("researcher")
    assert still.value.code == "people.token_expired"


def test_roles_cannot_be_written_into_the_database(cast: Cast) -> None:
    edit(cast, "UPDATE certificates SET roles = ? WHERE member = 'researcher'", '["officer","researcher"]')
    with pytest.raises(Tampered) as no:
        cast.member("researcher")
    assert no.value.code == "people.account_altered"


def test_a_token_pointed_at_anothers_certificate_opens_nothing(cast: Cast) -> None:
    """The row is made consistent in every column; only the key sealed under the token cannot be made to fit."""
    officer = "SELECT certificate FROM tokens WHERE member = 'officer'"
    edit(cast, f"UPDATE tokens SET certificate = ({officer}), member = 'officer' WHERE member = ?", "researcher")
    with pytest.raises(Tampered):
        cast.member("researcher")
    sealed = "SELECT sealed_key FROM tokens WHERE member = 'officer' AND hash <> ?"
    mine = people.token.hash_of(cast.tokens["researcher"])
    edit(cast, f"UPDATE tokens SET sealed_key = ({sealed}) WHERE hash = ?", mine, mine)
    with pytest.raises(Tampered):
        cast.member("researcher")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("certificates", "roles", "{"), ("certificates", "roles", '["emperor"]'), ("tokens", "sealed_key", "no hex")],
)
def test_rubbish_in_a_row_is_tampering_and_on_record(cast: Cast, table: str, column: str, value: str) -> None:
    edit(cast, f"UPDATE {table} SET {column} = ? WHERE member = 'researcher'", value)
    with pytest.raises(Tampered):
        cast.member("researcher")
    assert cast.events("access.refused")[-1]["detail"]["code"] == "people.account_altered"
