"""How many numbers of a long row of them stand there already?

Sorted part by part, so that no more than `_TOGETHER` are held beside what there was. Pseudonyms are digests: their last bits
divide them evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]

_TOGETHER = 1 << 24
"""Numbers, 8 bytes each, that are sorted at once."""


def parts_of(numbers: int) -> int:
    """Into how many parts by their last bits, a power of two, so many numbers are divided."""
    return 1 << max(0, (numbers - 1) // _TOGETHER).bit_length()


def repeated(numbers: Ints) -> int:
    """How many of them stand there already; they are sorted in place."""
    numbers.sort()
    return int(np.count_nonzero(numbers[1:] == numbers[:-1]))


def repeated_in(runs: Sequence[Ints]) -> int:
    """How many numbers of all `runs` stand there already."""
    parts = parts_of(sum(map(len, runs)))
    return sum(
        repeated(np.concatenate([run[run & parts - 1 == part] for run in runs])) for part in range(parts if runs else 0)
    )
