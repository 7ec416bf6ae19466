"""Which value does a number in [0, 1) stand for, by what was bought?

SQL text from shares alone: which word of a list, which stored value within which stretch, how many rows. Found by halves
over the summed shares; what has no share is never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from enclave.intake.columns import literal
from enclave.profile import Marginal, RowsEach

UNEVEN = 1.7
"""Exponent by which shares are bent towards the first codes and the smallest numbers."""


def share(salt: str, row: str) -> str:
    """A number in [0, 1) that depends on the row and the salt alone. Hashed twice: a hash of two values is that of the one,
    turned by that of the other, so that numbers of two columns would go together."""
    return f"((hash(hash({row}, {literal(salt)})) >> 11)::DOUBLE / 9007199254740992.0)"


def early(count: int, at: str) -> str:
    """A number from 1 to `count`, the first ones more often."""
    return f"(1 + floor({count} * pow({at}, {UNEVEN}))::BIGINT)"


def position(told: Marginal, at: str) -> str:
    """The place in the list, from 1."""
    return _drawn(at, told.shares, [str(n) for n in range(1, len(told.shares) + 1)])


def truth(told: Marginal, at: str) -> str:
    """True or false."""
    return f"{at} >= {told.shares[0]!r}"


def stored(told: Marginal, at: str, within: str) -> str:
    """A stored number; `within` says where in its stretch, all of which is alike."""
    return _drawn(at, told.shares, [_between(low, high, within) for low, high in told.stretches])


def rows(told: RowsEach, at: str, within: str, some: str) -> str:
    """How many rows a person has; `some` says whether any."""
    counts = _drawn(at, told.shares, [_between(low, high, within) for low, high in told.stretches])
    return f"CASE WHEN {some} < {told.none!r} THEN 0 ELSE {counts} END"


def _between(low: int, high: int, within: str) -> str:
    return str(low) if low == high else f"{low} + floor({high - low + 1} * {within})::BIGINT"


def _drawn(at: str, shares: Sequence[float], leaves: Sequence[str]) -> str:
    kept = [(leaf, share) for leaf, share in zip(leaves, shares, strict=True) if share > 0]
    sums = list(accumulate(share for _, share in kept))

    def found(first: int, last: int) -> str:
        if first == last:
            return kept[first][0]
        half = (first + last) // 2
        return f"CASE WHEN {at} < {sums[half]!r} THEN {found(first, half)} ELSE {found(half + 1, last)} END"

    return f"({found(0, len(kept) - 1)})"
