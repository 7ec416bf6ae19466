"""Numbers that stand twice are found part by part."""

from __future__ import annotations

import numpy as np
import pytest

from enclave.intake import repeated


@pytest.mark.parametrize(("numbers", "parts"), [(0, 1), (1, 1), (8, 1), (9, 2), (16, 2), (17, 4), (33, 8)])
def test_no_more_are_sorted_at_once_than_may_be(monkeypatch: pytest.MonkeyPatch, numbers: int, parts: int) -> None:
    monkeypatch.setattr(repeated, "_TOGETHER", 8)
    assert repeated.parts_of(numbers) == parts


@pytest.mark.parametrize("together", [1, 3, 64, 1 << 24])
def test_it_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr(repeated, "_TOGETHER", together)
    numbers = np.random.default_rng(7).integers(-50, 50, 200)
    runs = [numbers[:3], numbers[3:120], numbers[120:]]
    assert repeated.repeated_in(runs) == 200 - len(set(numbers.tolist()))
    assert repeated.repeated_in([np.arange(-9, 9)]) == 0
    assert repeated.repeated_in([]) == 0
