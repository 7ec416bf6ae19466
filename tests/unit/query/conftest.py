"""One small encrypted extract and its engine, shared by the tests of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.oracle.extracts import DATASET, KEY, Rows, build, random_rows

from enclave.query.engine import Engine


@pytest.fixture(scope="session")
def small_rows() -> Rows:
    return random_rows(120, seed=3)


@pytest.fixture(scope="session")
def small_extract(tmp_path_factory: pytest.TempPathFactory, small_rows: Rows) -> Path:
    return build(tmp_path_factory.mktemp("small") / "v1.duckdb", DATASET, small_rows)


@pytest.fixture(scope="session")
def engine(small_extract: Path) -> Iterator[Engine]:
    opened = Engine(small_extract, KEY)
    yield opened
    opened.close()
