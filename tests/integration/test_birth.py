"""A birth is killed between its steps and begun again: one home comes of it, with one operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave import people
from enclave.audit import verify_events
from enclave.bootstrap import birth
from enclave.bootstrap.house import open_house
from enclave.errors import Refused

STEPS = ["open_ledger", "open_state", "record", "write_atomically"]


class Killed(BaseException):
    """What stands for a kill here: nothing in `create` cleans up after itself, so an exception leaves what SIGKILL would."""


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_birth_is_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(birth, step, die)
        birth.create(tmp_path / "home", demo=True, port=8000)
    settings = birth.create(tmp_path / "home", demo=True, port=8000)
    with open_house(settings).closing() as house:
        assert house.mark.demo and house.settings.port == 8000
        assert verify_events(house.db) >= 1


def test_a_home_killed_before_it_had_an_operator_gets_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    birth.create(home, demo=True)
    with pytest.raises(Refused):
        birth.create(home, demo=False)  # what it was born as stays
    settings = birth.create(home, demo=True)
    with open_house(settings).closing() as house:
        people.first_operator(house.db, house.keyring, "operator", "Operator")
    with pytest.raises(Refused):
        birth.create(home, demo=True)
