"""A certificate covers one key, one person, their roles, for a while; the home's signature binds all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from enclave import people
from enclave.audit.event import now
from enclave.errors import Tampered
from enclave.people import Role, certificates_of, certified, had_role
from enclave.people.certificate import certify
from enclave.store import Keyring, Place, reading

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cast

NOON, ONE = "2026-01-01T12:00:00.000000+00:00", "2026-01-01T13:00:00.000000+00:00"


def keyring_in(folder: Path) -> Keyring:
    place = Place(folder)
    place.make()
    keyring = Keyring(place)
    keyring.create()
    return keyring


CHANGES: list[dict[str, Any]] = [
    {"member": "other"},
    {"real_name": "Other"},
    {"roles": frozenset({Role.OFFICER})},
    {"public_key": "11" * 32},
    {"starts_at": "2025-01-01T12:00:00.000000+00:00"},
    {"ends_at": "2027-01-01T13:00:00.000000+00:00"},
    {"id": "crt_other"},
    {"signature": "00" * 64},
    {"signature": "not hex"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_field_is_bound_by_the_signature(tmp_path: Path, change: dict[str, Any]) -> None:
    keyring = keyring_in(tmp_path)
    paper = certify(keyring, "me", "Me", frozenset({Role.STEWARD}), "00" * 32, (NOON, ONE))
    paper.check(keyring.public_key)
    with pytest.raises(Tampered):
        replace(paper, **change).check(keyring.public_key)


def test_a_certificate_of_another_home_is_none(tmp_path: Path) -> None:
    paper = certify(keyring_in(tmp_path / "a"), "me", "Me", frozenset({Role.STEWARD}), "00" * 32, (NOON, ONE))
    with pytest.raises(Tampered):
        paper.check(keyring_in(tmp_path / "b").public_key)


def test_it_covers_its_first_instant_and_not_its_last(tmp_path: Path) -> None:
    paper = certify(keyring_in(tmp_path), "me", "Me", frozenset(), "00" * 32, (NOON, ONE))
    assert paper.covers(NOON) and not paper.covers(ONE) and not paper.covers("2026-01-01T11:59:59.999999+00:00")


def test_what_was_signed_before_a_revocation_stays_certified_and_nothing_after(cast: Cast) -> None:
    steward, before = cast.member("steward"), now()
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "steward")

    with reading(cast.db) as connection:
        papers = certificates_of(connection, cast.keyring.public_key, ["steward", "officer"])

    def covered(at: str, role: Role = Role.STEWARD, member: str = "steward") -> bool:
        return had_role(papers, member=member, public_key=steward.public_key, role=role, at=at)

    assert covered(before)
    assert not covered(now())
    assert not covered(before, Role.OFFICER)
    assert not covered(before, member="officer")


def test_one_signer_is_looked_up_by_key_role_and_moment(cast: Cast) -> None:
    officer, home, at = cast.member("officer"), cast.keyring.public_key, now()
    other = cast.member("officer2").public_key
    with reading(cast.db) as connection:
        paper = certified(connection, home, member="officer", public_key=officer.public_key, role=Role.OFFICER, at=at)
        assert paper is not None and paper.member == "officer"
        assert not certified(connection, home, member="officer", public_key=other, role=Role.OFFICER, at=at)
        assert not certified(connection, home, member="nobody", public_key=other, role=Role.OFFICER, at=at)
