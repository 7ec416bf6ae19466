"""What does a resident identity number say, as SQL over a text expression?

GB 11643: six digits of region, eight of birth date, three of sequence (odd male, even female), a check character
"10X98765432"[Σ wᵢdᵢ mod 11]. The old form has fifteen digits, a year of two and no check.
"""

from __future__ import annotations


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


def _rest(body: str) -> str:
    """The weighted sum of up to seventeen digits mod 11, of `body` as a whole number: the weights are powers of two, and a
    digit is what a quotient by a power of ten has more than ten times the next one.
    """
    carried = " + ".join(f"{2 ** (n - 1)} * ({body} // {10**n})" for n in range(1, 17))
    return f"(2 * ({body} - 8 * ({carried})) % 11)"


def _check(body: str) -> str:
    """The check character of seventeen digits as text; NULL for what is no number."""
    whole = f"TRY_CAST({body} AS BIGINT)"
    return f"substr('10X98765432', {_rest(whole)} + 1, 1)"


def is_valid(number: str) -> str:
    """True when form, birth date and check character all hold; false for anything else, NULL included.

    A product of truths, not a conjunction: the engine computes the parts that both forms share once (so it does not
    within AND, OR and CASE). Seventeen characters that are a number of seventeen places without an exponent are digits.
    """
    body = f"TRY_CAST(left({number}, 17) AS BIGINT)"
    agrees = f"({_rest(body)} + 1 = strpos('10X98765432', upper(right({number}, 1))))"
    new = f"(length({number}) = 18)::TINYINT * ({body} >= {10**16})::TINYINT * {agrees}::TINYINT"
    old = f"(length({number}) = 15)::TINYINT * ({body} >= {10**14})::TINYINT"
    plain = f"(NOT contains(lower({number}), 'e'))::TINYINT"
    return f"coalesce(({new} + {old}) * {plain} * ({birth(number)} IS NOT NULL)::TINYINT = 1, false)"


def whole(number: str) -> str:
    """The number as eighteen characters, so that both forms of one person's number are the same text."""
    body = f"substr({number}, 1, 6) || '19' || substr({number}, 7)"
    return f"CASE length({number}) WHEN 15 THEN {body} || {_check(body)} ELSE upper({number}) END"
