"""One living home per session: all functional tests are one group, so that one worker of pytest-xdist runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.living import Living, born, granted, raw_hospital, shelved

from enclave.bootstrap import up
from enclave.bootstrap.worker import build_wall


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "functional" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("functional"))


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("living")
    house = born(folder)
    shelved(house, raw_hospital(folder / "raw"))
    house.request, house.project = granted(house)
    build_wall(house.settings)
    try:
        up.up(house.settings)
        yield house
    finally:
        up.down(house.place)
    house.close()
