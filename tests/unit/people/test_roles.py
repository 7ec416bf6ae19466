"""Roles are data with fixed names."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.errors import BadInput
from enclave.people import Role, load_roles
from enclave.people.roles import parse_roles

ROLES = Path(__file__).parents[3] / "policies" / "roles.toml"


def test_every_role_has_a_name_and_a_purpose_in_both_languages() -> None:
    cards = load_roles(ROLES)
    assert set(cards) == set(Role)
    for card in cards.values():
        assert all((card.en, card.zh, card.does_en, card.does_zh))
        assert (card.name("en"), card.name("zh")) == (card.en, card.zh)


@pytest.mark.parametrize("change", [("[auditor]", "[emperor]"), ("alone = true", ""), ("[operator]", "[operator")])
def test_a_file_of_roles_that_says_too_little_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    file = tmp_path / "roles.toml"
    file.write_text(ROLES.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(BadInput):
        load_roles(file)


def test_a_missing_role_is_named(tmp_path: Path) -> None:
    file = tmp_path / "roles.toml"
    file.write_text(ROLES.read_text(encoding="utf-8").partition("[auditor]")[0], encoding="utf-8")
    with pytest.raises(BadInput, match="auditor"):
        load_roles(file)


def test_roles_named_twice_count_once() -> None:
    assert parse_roles(["steward", "steward"], load_roles(ROLES)) == {Role.STEWARD}
