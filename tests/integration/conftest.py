"""One home with records and a grant, made once per session; each test gets a copy of its own.

Its size class is small, so that replies leave at the quickest moment there is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.channels import living_in
from tests.living import Living, born, granted, quick_replies, raw_hospital, shelved


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Living:
    folder = tmp_path_factory.mktemp("template")
    made = born(folder)
    quick_replies(made.place)
    shelved(made, raw_hospital(folder / "raw", 500))
    made.request, made.project = granted(made)
    made.close()
    return made


@pytest.fixture
def house(template: Living, tmp_path: Path) -> Iterator[Living]:
    """A home of 500 persons; nothing of it runs."""
    home = tmp_path / "home"
    shutil.copytree(template.place.home, home)
    copy = living_in(home, template)
    yield copy
    copy.close()
