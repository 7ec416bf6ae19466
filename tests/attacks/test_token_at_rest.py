"""Attack: read every file of the home and find something to log in or to sign with."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from enclave import people
from enclave.errors import Refused, Tampered
from enclave.people.member import KEY_PURPOSE
from enclave.store import open_sealed
from enclave.store.keyring import key_from_secret, sign_with

if TYPE_CHECKING:
    from tests.conftest import Cast


def everything_at_rest(cast: Cast) -> bytes:
    cast.db.dispose()  # the write-ahead log is folded in, so nothing hides
    return b"".join(file.read_bytes() for file in cast.place.home.rglob("*") if file.is_file())


def rows(cast: Cast, query: str, *values: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(cast.place.home / "state.db")) as file:
        return file.execute(query, values).fetchall()


def test_no_token_rests_in_the_home(cast: Cast) -> None:
    for name in cast.tokens:
        cast.member(name)
    cast.granted()
    rest = everything_at_rest(cast)
    assert b"researcher" in rest  # the control: the search does find what is there
    for token in cast.tokens.values():
        body = token.removeprefix("dom_")
        raw = base64.urlsafe_b64decode(body + "=")
        assert not any(part in rest for part in (token.encode(), body.encode(), raw, raw.hex().encode()))


def test_what_rests_there_logs_nobody_in(cast: Cast) -> None:
    for hash_, sealed in rows(cast, "SELECT hash, sealed_key FROM tokens"):
        for found in (hash_, sealed, "dom_" + hash_):
            with pytest.raises(Refused):
                people.authenticate(cast.db, cast.keyring, found)


def test_whoever_holds_the_home_key_signs_for_nobody(cast: Cast) -> None:
    home = (cast.place.keys / "home.key").read_bytes()
    for member, certificate, sealed, public in rows(
        cast,
        "SELECT t.member, c.id, t.sealed_key, c.public_key FROM tokens t JOIN certificates c ON c.id = t.certificate",
    ):
        with pytest.raises(Tampered):
            open_sealed(home, bytes.fromhex(sealed), certificate)
        # the control: with the token it does open, and is the certified key
        private = open_sealed(key_from_secret(cast.tokens[member], KEY_PURPOSE), bytes.fromhex(sealed), certificate)
        assert sign_with(private, b"").public_key == public


def test_refusals_and_changes_write_no_token_down(cast: Cast) -> None:
    with pytest.raises(Refused):
        people.authenticate(cast.db, cast.keyring, "dom_" + "Z" * 43)
    with pytest.raises(Refused):
        cast.member("steward").sign(b"x", cast.tokens["officer"])
    written = str(rows(cast, "SELECT actor, subject, detail FROM events"))
    assert "Z" * 43 not in written and "dom_" not in written
