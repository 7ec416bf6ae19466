"""How is a column of a million values made without a loop over its rows?

Texts of fixed width are written as a matrix of digits whose bytes Arrow takes over as they stand; codes are looked up by
position; money is whole cents until it becomes a decimal. Every chunk of every table draws from a stream of its own, so
what one table contains does not depend on which others were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.uint8]
Column: TypeAlias = "pa.Array[Any]"

ZERO = ord("0")


class Stream(IntEnum):
    """The independent sources of chance; a number never changes its meaning."""

    PEOPLE = 1
    VISITS = 2
    DIAGNOSES = 3
    LABS = 4
    NOTES = 5
    DIRT = 6
    OMOP = 7


def stream(seed: int, which: Stream, chunk: int) -> np.random.Generator:
    return np.random.default_rng([seed, int(which), chunk])


def digits(numbers: Ints, width: int) -> Digits:
    """Each number as `width` ASCII digits, leading zeros kept: one row per number."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ZERO).astype(np.uint8)


def constant(word: str, rows: int) -> Digits:
    return np.tile(np.frombuffer(word.encode("ascii"), dtype=np.uint8), (rows, 1))


def fixed_text(*parts: Digits) -> Column:
    """Parts side by side as one text column, without copying row by row."""
    matrix = np.ascontiguousarray(np.hstack(parts))
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets.data), pa.py_buffer(matrix.data))


def numbered(prefix: str, numbers: Ints, width: int) -> Column:
    """Ids such as P00000001."""
    return fixed_text(constant(prefix, len(numbers)), digits(numbers, width))


def pick(words: Sequence[str], positions: npt.NDArray[Any]) -> Column:
    return pa.array(list(words), pa.string()).take(positions.astype(np.int64))


def plain_number(numbers: Ints) -> Column:
    """Numbers as text without leading zeros."""
    return pc.cast(pa.array(numbers), pa.string())


def joined(*parts: Column | str) -> Column:
    """Texts side by side, row by row; a plain word stands in every row."""
    side_by_side: Column = pc.binary_join_element_wise(*parts, "")  # type: ignore[call-overload]  # the stubs know no mixture
    return side_by_side


def hundredths(values: Ints, precision: int) -> Column:
    """Whole hundredths as DECIMAL(precision, 2), exactly."""
    wide = np.ascontiguousarray(np.stack([values, values >> 63], axis=1))
    return pa.Array.from_buffers(pa.decimal128(precision, 2), len(values), [None, pa.py_buffer(wide.data)])


def dates(days: Ints) -> Column:
    """Days since 1970-01-01 as dates."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def moments(seconds: Ints) -> Column:
    return pa.array(seconds).cast(pa.timestamp("s"))


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def year_of(days: Ints) -> Ints:
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970)


def choose(rng: np.random.Generator, weights: Sequence[float] | Floats, rows: int) -> Ints:
    """Positions drawn with these weights (they need not add up to one)."""
    ladder = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(ladder, rng.random(rows) * ladder[-1], side="right")
    return np.asarray(np.minimum(drawn, len(ladder) - 1), dtype=np.int64)


def choose_by(rng: np.random.Generator, weights: Floats, group: Ints) -> Ints:
    """Positions drawn with the weights of each row's own group: `weights` has one line per group, padded with zeros."""
    ladder = np.cumsum(weights, axis=1)
    mark = rng.random(len(group)) * ladder[group, -1]
    drawn = np.zeros(len(group), dtype=np.int64)
    for step in range(weights.shape[1] - 1):
        drawn += mark >= ladder[group, step]
    last = (weights > 0).cumsum(axis=1).argmax(axis=1)
    return np.asarray(np.minimum(drawn, last[group]))
