"""The root that weighs a person is never below the true one, whatever the first guess in floating point was."""

from __future__ import annotations

import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.exact import MOST, Rows, branches
from enclave.query.groups import Groups
from enclave.query.sums import Sum
from enclave.query.tally import EXACT, Norm


def weight(vector: list[int], clip: int) -> int:
    """What a row of a person weighs who adds `vector`: each cell is one row that stands for so many."""
    norm, groups = Norm(EXACT, clip), Groups(("k",), ('t0."group_0"',), {})
    rows = " UNION ALL ".join(f"SELECT 1 AS u, {at} AS k, {v}::HUGEINT AS v" for at, v in enumerate(vector))
    summed = branches(Rows(f"({rows})", "u", "v"), groups, 1, {"p0": Sum(norm)}, norm)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT group_0, sum(p0) FROM ({summed}) GROUP BY group_0").fetchall()
    weights = {int(total) / vector[k] for k, total in found if vector[k]} or {0 if max(vector) > MOST else WEIGHT_ONE}
    assert len(weights) == 1
    return int(weights.pop())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2**46), min_size=1, max_size=4), st.integers(1, 2**39))
def test_no_weighed_vector_is_longer_than_the_clip(vector: list[int], clip: int) -> None:
    w, squares = weight(vector, clip), sum(v * v for v in vector)
    assert w * w * squares <= (clip * WEIGHT_ONE) ** 2
    if squares <= clip * clip:
        assert w == WEIGHT_ONE
    else:  # tight: one more step of 1/256 would do
        root = math.isqrt(squares * WEIGHT_ONE)
        assert w >= clip * WEIGHT_ONE * 256 // (root + 2)


@pytest.mark.parametrize("at", [2**27, 2**45 + 1, 2**46])
def test_squares_beyond_a_double_are_rooted_upwards(at: int) -> None:
    vector = [at, 1]
    assert weight(vector, 5) ** 2 * (at * at + 1) <= (5 * WEIGHT_ONE) ** 2


def test_who_adds_more_than_is_proved_weighs_nothing() -> None:
    assert weight([MOST + 1], 3) == 0
    assert weight([2**90, 2**50], 3) == 0
    assert weight([2**90, 2], 3) == 0
