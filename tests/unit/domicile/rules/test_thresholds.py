"""Figures in, a frozen value out."""

from __future__ import annotations

from typing import Any

import pytest

from domicile.rules import Thresholds, thresholds


def test_what_is_left_out_has_its_default() -> None:
    assert Thresholds.of({"max_rows": 10}).max_cell == thresholds().max_cell


@pytest.mark.parametrize("figures", [{"max_rws": 1}, {"max_rows": 0}, {"max_rows": "10"}, {"max_rows": True}])
def test_a_figure_that_is_none_is_refused(figures: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Thresholds.of(figures)


def test_figures_survive_the_wire_with_their_digest() -> None:
    strict = Thresholds.of({"max_rows": 10})
    assert Thresholds.of(strict.as_dict()).digest == strict.digest != thresholds().digest
