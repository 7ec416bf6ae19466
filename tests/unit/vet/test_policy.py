"""The gate's figures come from a file, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from domicile.rules import thresholds
from enclave.errors import BadInput
from enclave.vet import Rules

SHIPPED = Path(__file__).parents[3] / "policies" / "rules.toml"


def test_the_shipped_figures_are_the_defaults() -> None:
    assert Rules.load(SHIPPED).limits == thresholds()


@pytest.mark.parametrize("text", ["max_rows = 0", "max_rws = 5", "max_rows = '5'", "not toml"])
def test_a_file_that_says_nothing_sensible_stops_the_gate(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        Rules.load(path)
    assert refused.value.code == "vet.rules_unreadable"


def test_a_missing_file_stops_the_gate(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Rules.load(tmp_path / "rules.toml")
