"""How wide is a whole number that a mechanism takes?"""

from __future__ import annotations

INT64 = 2**63 - 1
"""The largest of int64; the least that is used is its negative."""


def saturated(total: int) -> int:
    """The nearest within int64. It moves no two totals further apart: it is 1-Lipschitz."""
    return max(-INT64, min(INT64, total))
