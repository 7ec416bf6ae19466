"""What does a resident identity number say, as SQL over a text expression?

GB 11643: six digits of region, eight of birth date, three of sequence (odd male, even female), a check character
"10X98765432"[Σ wᵢdᵢ mod 11]. The old form has fifteen digits, a year of two and no check.
"""

from __future__ import annotations

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def birth(number: str) -> str:
    """The birth date it states; NULL when that is no day."""
    digits = (
        f"CASE length({number}) WHEN 18 THEN substr({number}, 7, 8) WHEN 15 THEN '19' || substr({number}, 7, 6) END"
    )
    return f"CAST(try_strptime({digits}, '%Y%m%d') AS DATE)"


def is_male(number: str) -> str:
    """True for an odd sequence number; NULL when that is no digit."""
    digit = f"CASE length({number}) WHEN 18 THEN substr({number}, 17, 1) WHEN 15 THEN substr({number}, 15, 1) END"
    return f"(TRY_CAST({digit} AS TINYINT) % 2 = 1)"


def _check(body: str) -> str:
    """The check character of seventeen digits, by letters: within AND and CASE the engine computes shared parts anew."""
    total = " + ".join(f"{w} * (ascii(substr({body}, {n}, 1)) - 48)" for n, w in enumerate(_WEIGHTS, 1))
    return f"substr('10X98765432', ({total}) % 11 + 1, 1)"


def is_valid(number: str) -> str:
    """True when form, birth date and check character all hold; NULL for NULL."""
    new = f"regexp_full_match({number}, '[1-9]\\d{{16}}[0-9Xx]') AND {_check(number)} = upper(substr({number}, 18))"
    old = f"regexp_full_match({number}, '[1-9]\\d{{14}}')"
    return f"({birth(number)} IS NOT NULL AND ({new} OR {old}))"


def whole(number: str) -> str:
    """The number as eighteen characters, so that both forms of one person's number are the same text."""
    body = f"substr({number}, 1, 6) || '19' || substr({number}, 7)"
    return f"CASE length({number}) WHEN 15 THEN {body} || {_check(body)} ELSE upper({number}) END"
