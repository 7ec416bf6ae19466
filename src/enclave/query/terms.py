"""Which terms may be built, and what is proved of each?

The only makers of `Term`. Each returns a term whose type is proved from the types of its arguments, or raises `Unfit`
with the code of the words and the facts; the parser adds the place. Intervals are exact integers; numbers of different
scale are first brought to one scale. What may overflow is refused here, before anything is charged.
"""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from math import lcm

from enclave.catalogue.dataset import Column
from enclave.query.plan import DEEPEST, LARGEST, SORT_OF_KIND, WIDEST, Made, Op, Ref, Sort, Term, Type

EPOCH = dt.date(1970, 1, 1)
TRUTH = Type(Sort.TRUTH, nullable=True)
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FINEST = 10**6
"""No number may carry more than six decimals."""


class Unfit(Exception):
    """This term may not be built: `code` of the words, `facts` that fill them."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def column(source: int, col: Column, *, may_be_absent: bool) -> Term:
    """A stored column; of the far side of a LEFT JOIN it may be absent even where it is not nullable."""
    kind = Type(
        SORT_OF_KIND[col.kind], col.nullable or may_be_absent, col.lower, col.upper, scale=col.scale, codes=col.codes
    )
    return Term(Op.COLUMN, kind, ref=Ref(source, col))


def number(value: Fraction) -> Term:
    if value.denominator > FINEST or abs(value.numerator) > WIDEST:
        raise Unfit("query.too_wide", limit="2^62")
    whole = value.numerator
    return Term(Op.LITERAL, Type(Sort.NUMBER, False, whole, whole, scale=value.denominator), value=whole)


def text(value: str) -> Term:
    return Term(Op.LITERAL, Type(Sort.TEXT, False, codes=(value,)), value=value)


def truth(value: bool) -> Term:
    return Term(Op.LITERAL, Type(Sort.TRUTH, False), value=value)


def day(value: dt.date) -> Term:
    days = (value - EPOCH).days
    return Term(Op.LITERAL, Type(Sort.DATE, False, days, days), value=days)


def null() -> Term:
    return Term(Op.NULL, Type(Sort.TRUTH, True))


def shallow(term: Term) -> Term:
    if term.depth > DEEPEST or term.size > LARGEST:
        raise Unfit("query.too_deep", limit=DEEPEST, parts=LARGEST)
    return term


def bounds_of(term: Term) -> tuple[int, int]:
    """Of the stored integers; Unfit where the dictionary has none."""
    if term.type.lower is None or term.type.upper is None:
        raise Unfit("query.no_bounds", column=_column_names(term))
    return term.type.lower, term.type.upper


def _column_names(term: Term) -> str:
    return ", ".join(sorted({t.ref.column.name for t in term.walk() if t.ref})) or "?"


def _numeric(op: Op, args: tuple[Term, ...], lower: int, upper: int, scale: int, nullable: bool) -> Term:
    if max(abs(lower), abs(upper)) > WIDEST or scale > WIDEST:
        raise Unfit("query.too_wide", limit="2^62")
    return shallow(Term(op, Type(Sort.NUMBER, nullable, lower, upper, scale=scale), args))


def needs_number(term: Term) -> None:
    if term.op is Op.NULL:
        raise Unfit("query.bare_null")
    if term.type.sort is not Sort.NUMBER:
        raise Unfit("query.needs_number", found=term.type.sort)


def rescaled(term: Term, scale: int) -> Term:
    """The same number over a finer scale; a literal is rewritten, a column multiplied."""
    factor, rest = divmod(scale, term.type.scale)
    if rest:
        raise ValueError("a term is only brought to a multiple of its scale")
    if factor == 1:
        return term
    if term.op is Op.LITERAL and isinstance(term.value, int):
        whole = term.value * factor
        if abs(whole) > WIDEST:
            raise Unfit("query.too_wide", limit="2^62")
        return Term(Op.LITERAL, Type(Sort.NUMBER, False, whole, whole, scale=scale), value=whole)
    lower, upper = bounds_of(term)
    factor_term = number(Fraction(factor))
    return _numeric(Op.TIMES, (term, factor_term), lower * factor, upper * factor, scale, term.type.nullable)


def aligned(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    for term in terms:
        if term.op is not Op.NULL:
            needs_number(term)
    scale = lcm(*(t.type.scale for t in terms if t.op is not Op.NULL))
    if scale > FINEST:
        raise Unfit("query.too_wide", limit="6 decimals")
    return tuple(t if t.op is Op.NULL else rescaled(t, scale) for t in terms)


def arithmetic(op: Op, left: Term, right: Term) -> Term:
    """PLUS, MINUS, TIMES with the exact interval of the result."""
    needs_number(left)
    needs_number(right)
    if op is not Op.TIMES:
        left, right = aligned((left, right))
    (a, b), (c, d) = bounds_of(left), bounds_of(right)
    if op is Op.PLUS:
        ends = (a + c, b + d)
    elif op is Op.MINUS:
        ends = (a - d, b - c)
    else:
        products = (a * c, a * d, b * c, b * d)
        ends = (min(products), max(products))
    scale = left.type.scale * right.type.scale if op is Op.TIMES else left.type.scale
    if scale > FINEST:
        raise Unfit("query.too_wide", limit="6 decimals")
    return _numeric(op, (left, right), *ends, scale, left.type.nullable or right.type.nullable)


def negated(term: Term) -> Term:
    needs_number(term)
    lower, upper = bounds_of(term)
    return _numeric(Op.NEGATE, (term,), -upper, -lower, term.type.scale, term.type.nullable)


def absolute(term: Term) -> Term:
    needs_number(term)
    lower, upper = bounds_of(term)
    least = 0 if lower <= 0 <= upper else min(abs(lower), abs(upper))
    return _numeric(Op.ABSOLUTE, (term,), least, max(abs(lower), abs(upper)), term.type.scale, term.type.nullable)


def extreme(op: Op, args: tuple[Term, ...]) -> Term:
    """LEAST, GREATEST. NULL arguments are skipped: only those that are never NULL bound the result from their side."""
    if args[0].type.sort is not Sort.DATE:
        args = aligned(args)
    elif any(a.type.sort is not Sort.DATE for a in args):
        raise Unfit(
            "query.mixed_kinds", left=Sort.DATE, right=next(a.type.sort for a in args if a.type.sort != Sort.DATE)
        )
    spans = [bounds_of(a) for a in args]
    sure = [s for s, a in zip(spans, args, strict=True) if not a.type.nullable]
    lower, upper = min(s[0] for s in spans), max(s[1] for s in spans)
    if op is Op.LEAST and sure:
        upper = min(s[1] for s in sure)
    if op is Op.GREATEST and sure:
        lower = max(s[0] for s in sure)
    nullable = all(a.type.nullable for a in args)
    if args[0].type.sort is Sort.DATE:
        return shallow(Term(op, Type(Sort.DATE, nullable, lower, upper), args))
    return _numeric(op, args, lower, upper, args[0].type.scale, nullable)


def year_of(term: Term) -> Term:
    lower, upper = (EPOCH + dt.timedelta(days=d) for d in bounds_of(term))
    return _numeric(Op.YEAR, (term,), lower.year, upper.year, 1, term.type.nullable)


def chosen(op: Op, conditions: tuple[Term, ...], outcomes: tuple[Term, ...]) -> Term:
    """CASE (a condition for every outcome but the last, the ELSE) and COALESCE (no conditions)."""
    for condition in conditions:
        needs_truth(condition)
    known = [o for o in outcomes if o.op is not Op.NULL]
    if not known:
        raise Unfit("query.only_null")
    nullable = (all if op is Op.COALESCE else any)(o.type.nullable for o in outcomes)
    sorts = {Sort.CODE if o.type.sort is Sort.TEXT and o.op is Op.LITERAL else o.type.sort for o in known}
    if len(sorts) > 1:
        raise Unfit("query.mixed_kinds", left=min(sorts), right=max(sorts))
    sort = sorts.pop()
    if sort is Sort.NUMBER:
        outcomes = aligned(outcomes)
        spans = [bounds_of(o) for o in outcomes if o.op is not Op.NULL]
        scale = next(o.type.scale for o in outcomes if o.op is not Op.NULL)
        made = Type(sort, nullable, min(s[0] for s in spans), max(s[1] for s in spans), scale=scale)
    elif sort is Sort.CODE:
        made = Type(sort, nullable, codes=tuple(dict.fromkeys(c for o in known for c in o.type.codes)))
    elif sort is Sort.TRUTH:
        made = Type(sort, nullable)
    elif sort is Sort.DATE:
        spans = [bounds_of(o) for o in known]
        made = Type(sort, nullable, min(s[0] for s in spans), max(s[1] for s in spans))
    else:
        raise Unfit("query.case_of", found=sort)
    pairs = tuple(t for pair in zip(conditions, outcomes, strict=False) for t in pair)
    args = (*pairs, outcomes[-1]) if op is Op.CASE else outcomes
    return shallow(Term(op, made, args))


def needs_truth(term: Term) -> None:
    if term.op is Op.NULL:
        raise Unfit("query.bare_null")
    if term.type.sort is not Sort.TRUTH:
        raise Unfit("query.needs_condition", found=term.type.sort)


def _coerced(constant: Term, other: Term) -> Term:
    """A quoted literal takes the sort of what it is compared with: a date, or a code of the list."""
    if constant.op is not Op.LITERAL or not isinstance(constant.value, str):
        return constant
    if other.type.sort is Sort.DATE:
        return day(parsed_day(constant.value))
    if other.type.sort is Sort.CODE:
        if constant.value not in other.type.codes:
            raise Unfit("query.unknown_code", value=constant.value, column=_column_names(other))
        return Term(Op.LITERAL, Type(Sort.CODE, False, codes=(constant.value,)), value=constant.value)
    if other.type.sort is Sort.KEY:
        return Term(Op.LITERAL, Type(Sort.KEY, False), value=constant.value)
    return constant


def parsed_day(written: str) -> dt.date:
    try:
        if ISO_DAY.fullmatch(written):
            return dt.date.fromisoformat(written)
    except ValueError:
        pass
    raise Unfit("query.bad_date", value=written)


def _check_told_apart(term: Term, other: Term) -> None:
    """A count clipped at 40 never meets 50: the question would be answered, and mean nothing."""
    made = term.ref.column if term.ref else None
    clipped = term.window.chosen if term.window else isinstance(made, Made) and made.clipped
    if not clipped or not isinstance(other.value, int):
        return
    (lower, upper), limit = bounds_of(term), Fraction(other.value * term.type.scale, other.type.scale)
    if not lower < limit < upper and limit not in (0, lower):
        name = made.name if made else str(term.window.verb if term.window else "?").upper()
        raise Unfit("within.beyond_clip", column=name, bound=f"{upper / term.type.scale:g}")


def compared(op: Op, left: Term, right: Term) -> Term:
    """A comparison of two terms of one sort; only numbers and dates are ordered."""
    _check_told_apart(left, right)
    _check_told_apart(right, left)
    left, right = _of_one_sort((left, right))
    if left.type.sort not in (Sort.NUMBER, Sort.DATE) and op not in (Op.EQUAL, Op.DIFFERENT):
        raise Unfit("query.not_ordered", found=left.type.sort)
    return shallow(Term(op, TRUTH, (left, right)))


def one_of(term: Term, values: tuple[Term, ...]) -> Term:
    """IN (list of literals)."""
    for value in values:
        _check_told_apart(term, value)
    return shallow(Term(Op.ONE_OF, TRUTH, _of_one_sort((term, *values))))


def _of_one_sort(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if any(t.op is Op.NULL for t in terms):
        raise Unfit("query.bare_null")
    first = next((t for t in terms if not isinstance(t.value, str)), terms[0])
    if first.type.sort is Sort.TEXT:
        raise Unfit("query.text_only_counted", column=_column_names(first))
    terms = tuple(_coerced(t, first) for t in terms)
    for term in terms:
        if term.type.sort is not first.type.sort:
            raise Unfit("query.mixed_kinds", left=first.type.sort, right=term.type.sort)
    return aligned(terms) if first.type.sort is Sort.NUMBER else terms


def joined(op: Op, terms: tuple[Term, ...]) -> Term:
    """AND, OR over any number of conditions, kept flat."""
    for term in terms:
        needs_truth(term)
    flat = tuple(t for term in terms for t in (term.args if term.op is op else (term,)))
    return shallow(Term(op, TRUTH, flat)) if len(flat) > 1 else flat[0]


def inverted(term: Term) -> Term:
    needs_truth(term)
    return shallow(Term(Op.NOT, TRUTH, (term,)))


def missing(term: Term) -> Term:
    return shallow(Term(Op.MISSING, Type(Sort.TRUTH, False), (term,)))
