"""Does this number carry the check digits of an identifier?

Resident identity number: GB 11643-1999 (18 digits, ISO 7064 MOD 11-2; the 15-digit form has no check digit, its date
must exist). Bank card: ISO/IEC 7812-1 annex B (Luhn).
"""

from __future__ import annotations

import re
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_REGIONS = frozenset(
    str(r)
    for r in (
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        81,
        82,
        83,
        91,
    )
)
_SEPARATORS = re.compile(r"[ \t._\-–—]")


def bare(text: str) -> str:
    """`text` without the separators people type into numbers."""
    return _SEPARATORS.sub("", text).upper()


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return date(1850, 1, 1) <= date(year, month, day)
    except ValueError:
        return False


def is_resident_id(text: str) -> bool:
    """True for an 18-character number whose region, birth date and check character all hold."""
    number = bare(text)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number) or number[:2] not in _REGIONS:
        return False
    if not _is_date(int(number[6:10]), int(number[10:12]), int(number[12:14])):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return number[17] == _CHECKS[total % 11]


def is_old_resident_id(text: str) -> bool:
    """True for a 15-digit number of the form issued until 1999 whose region and birth date hold."""
    number = bare(text)
    if not re.fullmatch(r"[0-9]{15}", number) or number[:2] not in _REGIONS:
        return False
    return _is_date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))


def is_bank_card(text: str) -> bool:
    """True for 16 to 19 digits that pass Luhn and are no resident identity number (one in ten of those passes too)."""
    number = bare(text)
    if not re.fullmatch(r"[0-9]{16,19}", number) or len(set(number)) < 3 or is_resident_id(number):
        return False
    doubled = (int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(number)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
