"""The page of models: its examples run, on a twin, and its columns are those that come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.oracle.door import opened

import domicile
from enclave.catalogue.dictionary import dataset_of
from enclave.intake.descriptor import parse
from enclave.query import Engine
from enclave.twin import make

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)
CALLS = re.compile(r"^(\w+\.\w+\(.*?\))  # (.*)$", re.M)


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The twin, as it answers a notebook at home."""
    described = parse((ROOT / "policies" / "datasets" / "hospital" / "datapackage.yaml").read_bytes())
    make(described, tmp_path / "twin.duckdb", persons=1_000)
    dataset = dataset_of(described, version=1, digest="0" * 64, policy_digest="0" * 64)
    engine = Engine(tmp_path / "twin.duckdb", None)
    monkeypatch.setattr(domicile, "open", lambda _: opened(dataset, engine)[0])
    yield
    engine.close()


@pytest.mark.usefixtures("hospital")
def test_every_example_runs_and_shows_the_columns_it_names() -> None:
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(compile(example, "models.md", "exec"), names)  # noqa: S102 - running it is the test
        for call, said in CALLS.findall(example):
            columns = set(eval(call, names).columns)  # noqa: S307 - the same
            for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", said):
                assert word in columns or word in ("residual_sd", "age_band"), (call, word)
    assert {"stay", "back", "table"} <= set(names)
    assert len(EXAMPLES) == 5


def test_the_text_shown_by_hand_is_the_text_that_is_asked() -> None:
    asked = domicile.Survival("days", "died", "…", every=10, until=100, by="age_band").sql
    for part in ("HISTOGRAM(days, [0, 10,", "(died) = TRUE AS happened, age_band AS stratum, COUNT(*) AS persons"):
        assert part in asked
        assert part in PAGE
    assert domicile.LinearRegression("LEAST(los_days, 20)", ["age", "sex"], "…").sql.splitlines()[0] in PAGE
