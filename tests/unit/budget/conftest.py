"""A home with a ledger and three open accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.budget import Amount, Ledger, population, project, researcher
from enclave.store import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home")
    place.make()
    return place


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.of(place) as ledger:
        for account in (population("cn"), project("p"), researcher("p", "m")):
            ledger.open_account(account, Amount(100, 10), actor="officer")
        yield ledger
