"""What do the functions people write mean in terms, and what is proved of them?

Made of the few operations of `term`, so that each is total and its interval exact: a division is by a written number and
multiplies by its inverse, rounding is a division that rounds down, months between dates are years and months apart. What a
pattern or a prefix fits is found in the public code list, at planning, not row by row.
"""

from __future__ import annotations

import re
from fractions import Fraction

from enclave.query import terms
from enclave.query.term import WIDEST, Op, Sort, Term, Type
from enclave.query.terms import Unfit

MOST_DECIMALS = 6

PARTS: dict[Op, tuple[int, int]] = {
    Op.MONTH: (1, 12),
    Op.QUARTER: (1, 4),
    Op.DAY: (1, 31),
    Op.WEEKDAY: (0, 6),
    Op.ISO_WEEKDAY: (1, 7),
    Op.DAY_OF_YEAR: (1, 366),
    Op.WEEK: (1, 53),
}
"""What a part of any date may be; a year is bounded by the column."""


def divided(term: Term, by: Term) -> Term:
    """x / c for a written number c; the quotient is exact."""
    terms.needs_number(term)
    if by.op is Op.NEGATE and by.args[0].op is Op.LITERAL:
        return terms.negated(divided(term, by.args[0]))
    if by.op is not Op.LITERAL or by.type.sort is not Sort.NUMBER or not isinstance(by.value, int) or not by.value:
        raise Unfit("query.division")
    return terms.arithmetic(Op.TIMES, term, terms.number(Fraction(by.type.scale, by.value)))


def floored(term: Term) -> Term:
    """The largest whole number at or below x."""
    terms.needs_number(term)
    lower, upper = terms.bounds_of(term)
    scale = term.type.scale
    if scale == 1:
        return term
    if upper - lower > WIDEST:
        raise Unfit("query.too_wide", limit="2^62")
    by = terms.number(Fraction(scale))
    return terms.shallow(
        Term(Op.FLOOR, Type(Sort.NUMBER, term.type.nullable, lower // scale, upper // scale), (term, by))
    )


def ceiled(term: Term) -> Term:
    return terms.negated(floored(terms.negated(term)))


def rounded(term: Term, decimals: int) -> Term:
    """To so many decimals, a half away from zero."""
    if not 0 <= decimals <= MOST_DECIMALS:
        raise Unfit("query.round", limit=MOST_DECIMALS)
    if 10**decimals % term.type.scale == 0:
        return term
    half, zero = terms.number(Fraction(1, 2)), terms.number(Fraction(0))
    larger = terms.arithmetic(Op.TIMES, term, terms.number(Fraction(10**decimals)))
    above = floored(terms.arithmetic(Op.PLUS, larger, half))
    below = terms.negated(floored(terms.arithmetic(Op.PLUS, terms.negated(larger), half)))
    whole = terms.chosen(Op.CASE, (terms.compared(Op.LESS, term, zero),), (below, above))
    return terms.arithmetic(Op.TIMES, whole, terms.number(Fraction(1, 10**decimals)))


def whole_quotient(term: Term, by: Term) -> Term:
    """x // c of what is never negative: below 0 engines differ, so FLOOR says what is meant."""
    _never_negative(term, by)
    return floored(divided(term, by))


def remainder(term: Term, by: Term) -> Term:
    """x % c of whole numbers that are never negative."""
    _never_negative(term, by)
    if term.type.scale != 1 or by.type.scale != 1 or by.value is None:
        raise Unfit("query.division")
    left = terms.arithmetic(Op.MINUS, term, terms.arithmetic(Op.TIMES, by, floored(divided(term, by))))
    most, none = terms.number(Fraction(int(by.value) - 1)), terms.number(Fraction(0))
    kept = terms.extreme(Op.GREATEST, (terms.extreme(Op.LEAST, (left, most)), none))
    return terms.chosen(Op.CASE, (terms.missing(term),), (terms.null(), kept)) if term.type.nullable else kept


def _never_negative(term: Term, by: Term) -> None:
    terms.needs_number(term)
    if by.op is not Op.LITERAL or not isinstance(by.value, int) or by.value <= 0 or terms.bounds_of(term)[0] < 0:
        raise Unfit("query.division")


# --- dates ----------------------------------------------------------------------------------------------------------


def part_of_date(op: Op, term: Term) -> Term:
    if term.type.sort is not Sort.DATE:
        raise Unfit("query.needs_date", found=term.type.sort)
    if op is Op.YEAR:
        return terms.year_of(term)
    lower, upper = PARTS[op]
    return terms.shallow(Term(op, Type(Sort.NUMBER, term.type.nullable, lower, upper), (term,)))


def days_between(start: Term, end: Term) -> Term:
    """end − start in days."""
    for term in (start, end):
        if term.type.sort is not Sort.DATE:
            raise Unfit("query.needs_date", found=term.type.sort)
    (a, b), (c, d) = terms.bounds_of(start), terms.bounds_of(end)
    kind = Type(Sort.NUMBER, start.type.nullable or end.type.nullable, c - b, d - a)
    return terms.shallow(Term(Op.DAYS, kind, (start, end)))


def apart(unit: str, start: Term, end: Term) -> Term:
    """DATE_DIFF: how many boundaries of days, months, quarters or years lie between."""
    if unit == "DAY":
        return days_between(start, end)
    finer = {"MONTH": (12, Op.MONTH), "QUARTER": (4, Op.QUARTER), "YEAR": (1, None)}.get(unit)
    if finer is None:
        raise Unfit("query.date_diff")
    many, part = finer
    years = terms.arithmetic(Op.MINUS, part_of_date(Op.YEAR, end), part_of_date(Op.YEAR, start))
    if part is None:
        return years
    rest = terms.arithmetic(Op.MINUS, part_of_date(part, end), part_of_date(part, start))
    return terms.arithmetic(Op.PLUS, terms.arithmetic(Op.TIMES, years, terms.number(Fraction(many))), rest)


# --- codes ----------------------------------------------------------------------------------------------------------


def nothing_if(term: Term, other: Term) -> Term:
    """NULLIF."""
    return terms.chosen(Op.CASE, (terms.compared(Op.EQUAL, term, other),), (terms.null(), term))


def begins(term: Term, prefix: str) -> Term:
    """STARTS_WITH. Of a listed code, which codes begin so; of an unlisted one the text itself."""
    if term.type.sort is Sort.KEY and term.op is Op.COLUMN:
        literal = Term(Op.LITERAL, Type(Sort.KEY, False), value=prefix)
        return terms.shallow(Term(Op.BEGINS, terms.TRUTH, (term, literal)))
    return _one_of(term, [c for c in term.type.codes if c.startswith(prefix)])


def fits(term: Term, pattern: str) -> Term:
    """LIKE, with % and _ and no escape. Of an unlisted code only how it begins may be asked."""
    if term.type.sort is Sort.KEY:
        if pattern[-1:] != "%" or re.search("[%_]", pattern[:-1]):
            raise Unfit("query.like")
        return begins(term, pattern[:-1])
    wanted = wanted_by(pattern)
    return _one_of(term, [c for c in term.type.codes if wanted.fullmatch(c)])


def wanted_by(pattern: str) -> re.Pattern[str]:
    """LIKE as an expression that never goes back: what stands between two % is taken where it is first found, and kept."""
    pieces = ["".join("." if c == "_" else re.escape(c) for c in piece) for piece in re.split("%+", pattern)]
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    first, *between, last = pieces
    return re.compile(f"{first}{''.join(f'(?>.*?{piece})' for piece in between)}.*{last}", re.DOTALL)


def _one_of(term: Term, codes: list[str]) -> Term:
    if term.type.sort is not Sort.CODE or term.op is Op.LITERAL:
        raise Unfit("query.like")
    if codes:
        listed = (Term(Op.LITERAL, Type(Sort.CODE, False, codes=(code,)), value=code) for code in codes)
        return terms.shallow(Term(Op.ONE_OF, terms.TRUTH, (term, *listed)))
    return terms.chosen(Op.CASE, (terms.missing(term),), (terms.null(), terms.truth(False)))


def first_letters(term: Term, count: int) -> Term:
    """LEFT of a listed code is a listed code."""
    if term.type.sort is not Sort.CODE or term.op is Op.LITERAL or count < 1:
        raise Unfit("query.left")
    codes = tuple(dict.fromkeys(c[:count] for c in term.type.codes))
    kind = Type(Sort.CODE, term.type.nullable, codes=codes)
    return terms.shallow(Term(Op.LEFT, kind, (term, terms.number(Fraction(count)))))
