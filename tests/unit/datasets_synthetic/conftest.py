"""One hospital of 2,000 persons for every test here, made by the command itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

COMMAND = Path(__file__).parents[3] / "datasets_synthetic" / "make.py"

Make = Callable[..., subprocess.CompletedProcess[str]]


def _make(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(COMMAND), str(out), *options], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def make() -> Make:
    """The command as a person would type it."""
    return _make


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hospital")
    done = _make(out, "--persons", "2000", "--format", "parquet")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def truth(hospital: Path) -> Any:
    return json.loads((hospital / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def dirty(hospital: Path) -> Any:
    return json.loads((hospital / "dirty.json").read_text(encoding="utf-8"))


@pytest.fixture
def db(hospital: Path, dirty: dict[str, list[str]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table as written, and one table of ids per kind of dirt."""
    with duckdb.connect() as connection:
        for path in hospital.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM '{path}'")
        for kind, listed in dirty.items():
            connection.execute(f"CREATE TABLE {kind} AS SELECT unnest(?::VARCHAR[]) AS id", [listed])
        yield connection
