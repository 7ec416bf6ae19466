"""The integer root is exact where the double's is not."""

from __future__ import annotations

import math
from collections.abc import Iterator

import duckdb
import pytest

from enclave.catalogue import dataset
from enclave.intake import contributions

HARD = [
    0,
    1,
    2,
    3,
    4,
    2**54 + 1,
    2**54 - 1,
    (2**31 - 1) ** 2 + 1,
    2**52 - 1,
    2**52,
    *((2**26 - k) ** 2 + j for k in (0, 1, 2) for j in (-1, 0, 1)),
    65536 * 40_000,
    *(k * k for k in (3, 94906266, 2**40 + 1)),
]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        contributions.define_root(connection)
        yield connection


@pytest.mark.parametrize("n", HARD)
def test_the_root_is_the_least_integer_whose_square_is_enough(con: duckdb.DuckDBPyConnection, n: int) -> None:
    (root,) = con.execute("SELECT ceil_root($n::HUGEINT)", {"n": n}).fetchall()[0]
    assert root == (math.isqrt(n - 1) + 1 if n else 0)


def test_the_root_of_a_double_is_one_short(con: duckdb.DuckDBPyConnection) -> None:
    """The control: what soundness U1 found at 2^54 + 1."""
    (root,) = con.execute("SELECT ceil(sqrt(CAST(18014398509481985 AS DOUBLE)))").fetchall()[0]
    assert root * root < 2**54 + 1


def test_intake_and_dictionary_agree_on_the_step() -> None:
    assert contributions.NORM_STEP == dataset.NORM_STEP
