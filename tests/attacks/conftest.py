"""One home with records, made once; each attack gets a copy of its own and a broker over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.asked import Door, copied, furnished, opened
from tests.living import Living

from enclave.broker import asking


@pytest.fixture(scope="session")
def furnished_home(tmp_path_factory: pytest.TempPathFactory) -> Living:
    return furnished(tmp_path_factory.mktemp("furnished"))


@pytest.fixture
def door(furnished_home: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(asking, "OPENING_MS", 400)  # a question that is asked again waits for the moment of the first
    living = copied(furnished_home, tmp_path / "home")
    with opened(living) as door:
        yield door
    living.close()
