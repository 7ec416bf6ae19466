"""What is a valid resident identity number (GB 11643), and how is none given twice?

Six digits of the county at birth, eight of the birth date, three of sequence (odd for men, even for women), one check
character: r = Σ digit · weight mod 11, check = "10X98765432"[r].
"""

from __future__ import annotations

import numpy as np

from datasets_synthetic.columns import Digits, Flags, Ints, digits

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)


def check_positions(bodies: Digits) -> Ints:
    """The position of the right check character in CHECKS for every 17-digit body."""
    return np.asarray((bodies.astype(np.int64) - ord("0")) @ WEIGHTS % 11)


def compact_date(days: Ints) -> Ints:
    """20240131 for 2024-01-31."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    since = month.astype(np.int64)
    return np.asarray((since // 12 + 1970) * 10_000 + (since % 12 + 1) * 100 + (date - month).astype(np.int64) + 1)


class Register:
    """Hands out numbers, remembering every body it gave, so that two people never share one."""

    def __init__(self) -> None:
        self._given: Ints = np.empty(0, dtype=np.int64)

    def issue(self, rng: np.random.Generator, region: Ints, birth: Ints, male: Flags, wrong: Flags) -> Digits:
        """One 18-character number per person; those marked `wrong` carry a check character that does not fit."""
        stem = (region * 100_000_000 + compact_date(birth)) * 1000
        sequence = rng.integers(0, 500, len(stem)) * 2 + male
        taken = self._taken(stem + sequence)
        while taken.any():
            sequence = np.where(taken, (sequence + 2) % 1000, sequence)
            taken = self._taken(stem + sequence)
        self._given = np.union1d(self._given, stem + sequence)
        bodies = digits(stem + sequence, 17)
        check = check_positions(bodies)
        off = rng.integers(1, 11, len(stem))
        return np.hstack([bodies, CHECKS[np.where(wrong, (check + off) % 11, check)][:, None]])

    def _taken(self, numbers: Ints) -> Flags:
        _, first = np.unique(numbers, return_index=True)
        repeated = np.ones(len(numbers), dtype=np.bool_)
        repeated[first] = False
        return repeated | np.isin(numbers, self._given)
