"""One living home per session; the functional tests stay together on one worker (see the root conftest).

Its size class is that of its few records, so that replies leave soon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.laptop import installed
from tests.living import Living, born, granted, raw_hospital, shelved

from enclave.bootstrap.worker import build_wall


@pytest.fixture(scope="session")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("living")
    house = born(folder)
    descriptor = house.place.policies / "datasets" / "hospital" / "datapackage.yaml"
    descriptor.write_text(descriptor.read_text().replace("size_class: 1000000", "size_class: 100000"))
    shelved(house, raw_hospital(folder / "raw"))
    house.request, house.project = granted(house)
    build_wall(house.settings)
    with house.up():
        yield house


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The researcher's side, installed as a laptop has it."""
    return installed(tmp_path_factory.mktemp("site"))
