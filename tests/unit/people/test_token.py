"""A token opens one account, for a while, and everything else is refused in words and on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from enclave import people
from enclave.errors import BadInput, NotFound, Refused
from enclave.people import Role
from enclave.people.token import PREFIX, later
from enclave.store import verify_signature

if TYPE_CHECKING:
    from tests.conftest import Cast


def renew(cast: Cast, name: str, *, by: str = "operator", old: str | None = None, days: int = 30) -> str:
    actor = cast.member(by)
    return people.renew(cast.db, cast.keyring, cast.permissions, actor, name, old_token=old, days=days)


def test_a_token_has_256_bits_and_says_whose_it_is_not(cast: Cast) -> None:
    tokens = set(cast.tokens.values())
    assert len(tokens) == len(cast.tokens)
    assert all(token.startswith(PREFIX) and len(token) == len(PREFIX) + 43 for token in tokens)
    assert not any(name in token for name, token in cast.tokens.items())


def test_authenticate_gives_the_member_as_certified(cast: Cast) -> None:
    member = cast.member("both")
    assert (member.id, member.real_name) == ("both", "Both")
    assert member.roles == {Role.STEWARD, Role.OFFICER}
    assert datetime.fromisoformat(member.expires_at) - datetime.now().astimezone() > timedelta(days=29)


@pytest.mark.parametrize("token", ["", "dom_", "dom_" + "A" * 43, "x" * 100_000, "dom_é", "\udc80"])
def test_an_unknown_token_is_refused_and_the_event_does_not_hold_it(cast: Cast, token: str) -> None:
    with pytest.raises(Refused) as no:
        people.authenticate(cast.db, cast.keyring, token)
    assert no.value.code == "people.token_unknown"
    (event,) = cast.events("access.refused")
    assert (event["actor"], event["subject"]) == ("unknown", "token")
    assert event["detail"] == {"attempt": "authenticate", "code": "people.token_unknown", "place": None}


def test_a_member_signs_with_a_key_of_their_own(cast: Cast) -> None:
    steward, officer = cast.member("steward"), cast.member("officer")
    signature = steward.sign(b"yes", cast.tokens["steward"])
    verify_signature(b"yes", signature)
    assert signature.public_key == steward.public_key != officer.public_key


@pytest.mark.parametrize("token", ["officer", "steward2"])
def test_nobody_signs_with_anothers_token(cast: Cast, token: str) -> None:
    with pytest.raises(Refused) as no:
        cast.member("steward").sign(b"yes", cast.tokens[token])
    assert no.value.code == "people.token_not_theirs"


def test_a_member_shows_neither_key_nor_token(cast: Cast) -> None:
    member = cast.member("steward")
    assert member.sealed_key.hex() not in repr(member) and "sealed" not in repr(member)


def test_renewing_with_the_old_token_keeps_the_key_and_ends_the_old_token(cast: Cast) -> None:
    before, old = cast.member("steward"), cast.tokens["steward"]
    new = renew(cast, "steward", by="steward", old=old)
    assert people.authenticate(cast.db, cast.keyring, new).public_key == before.public_key
    with pytest.raises(Refused) as no:
        cast.member("steward")
    assert no.value.code == "people.token_revoked"
    assert cast.events("people.token_renewed")[0]["detail"]["same_key"] is True


def test_renewing_without_the_old_token_makes_a_new_key(cast: Cast) -> None:
    before = cast.member("steward")
    new = people.authenticate(cast.db, cast.keyring, renew(cast, "steward"))
    assert new.public_key != before.public_key
    assert (new.real_name, new.roles) == (before.real_name, before.roles)


def test_another_members_token_renews_nothing(cast: Cast) -> None:
    with pytest.raises(Refused) as no:
        renew(cast, "steward", old=cast.tokens["officer"])
    assert no.value.code == "people.token_not_theirs"


def test_a_revoked_token_carries_no_key_over(cast: Cast) -> None:
    old = cast.tokens["steward"]
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "steward")
    with pytest.raises(Refused):
        renew(cast, "steward", old=old)
    assert people.authenticate(cast.db, cast.keyring, renew(cast, "steward")).id == "steward"


def test_only_the_operator_renews_and_revokes_for_others(cast: Cast) -> None:
    for verb in (people.renew, people.revoke):
        with pytest.raises(Refused) as no:
            verb(cast.db, cast.keyring, cast.permissions, cast.member("officer"), "steward")
        assert no.value.code == "people.not_allowed"
    assert [event["actor"] for event in cast.events("access.refused")] == ["officer", "officer"]
    cast.member("steward")


def test_renewing_nobody_is_refused(cast: Cast) -> None:
    with pytest.raises(NotFound):
        renew(cast, "ghost")


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_token_lives_a_day_to_a_year(cast: Cast, days: int) -> None:
    with pytest.raises(BadInput):
        renew(cast, "steward", days=days)
    cast.member("steward")


def test_days_are_counted_from_the_instant() -> None:
    assert later("2026-02-28T23:00:00.000000+00:00", 1) == "2026-03-01T23:00:00.000000+00:00"
