"""How is one term of a plan written in our own SQL?

Only names of the dictionary (quoted), columns we named ourselves, and literals we rendered; the same term gives the same
bytes. Arithmetic in BIGINT whose width was proved; a total is a HUGEINT, which `engine` saturates to int64.
"""

from __future__ import annotations

import datetime as dt

from enclave.catalogue.dataset import Column
from enclave.query.over import over
from enclave.query.plan import Made, Op, Sort, Term
from enclave.query.tally import Bins, Tally
from enclave.query.terms import EPOCH

CATALOG = "extract"
"""The engine attaches the extract under this name."""

SIGNS = {op: op.value for op in (Op.PLUS, Op.MINUS, Op.TIMES)}
RELATIONS = {op: op.value for op in (Op.EQUAL, Op.DIFFERENT, Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST)}


def value(tally: Tally, term: Term, other: Term | None = None) -> str:
    """What a row adds: the bare term, or clamped to its proven bounds and centred; a product counted from its middle. NULL
    adds nothing. `term` and `other` are those of the tally, or stand for them."""
    if tally.clamp is None:
        return number(term)
    made, terms = centred(term, tally.clamp, tally.centre), [term]
    if tally.product and other:
        middle = tally.product.middle
        made = f"({made}) * ({centred(other, tally.product.clamp, tally.product.centre)})"
        made += f" - {middle}" if middle > 0 else f" + {-middle}" if middle < 0 else ""
        terms += [other] if other != term else []
    unknown = " OR ".join(f"{number(t)} IS NULL" for t in terms if t.type.nullable)
    return f"CASE WHEN {unknown} THEN NULL ELSE {made} END" if unknown else made


def centred(term: Term, clamp: tuple[int, int], centre: int) -> str:
    clamped = f"least(greatest({number(term)}, {clamp[0]}), {clamp[1]})"
    return clamped + (f" - {centre}" if centre > 0 else f" + {-centre}" if centre < 0 else "")


def bin_number(bins: Bins) -> str:
    """Which of the bins a row falls into; none where the term is NULL."""
    number_of = f"({centred(bins.term, (bins.lower, bins.upper), bins.lower)}) // {bins.width}"
    return (
        f"CASE WHEN {number(bins.term)} IS NULL THEN NULL ELSE {number_of} END"
        if bins.term.type.nullable
        else number_of
    )


def column(term: Term) -> str:
    if term.ref is None:
        raise ValueError("not a column")
    if term.ref.beside:
        return f't0."{term.ref.beside}"'
    return f't{term.ref.source}."{stored_name(term.ref.column)}"'


def stored_name(found: Column) -> str:
    """The name a column rests under; one made within a person has ours."""
    return found.stored if isinstance(found, Made) else found.name


def key(term: Term) -> str:
    """A group key; a code column stands as it is, so that the engine groups by its small numbers."""
    return column(term) if term.op is Op.COLUMN else number(term)


def text(written: str) -> str:
    doubled = written.replace("'", "''")
    return f"'{doubled}'"


def literal(term: Term) -> str:
    if term.type.sort is Sort.DATE and isinstance(term.value, int):
        return f"DATE '{(EPOCH + dt.timedelta(days=term.value)).isoformat()}'"
    if isinstance(term.value, bool):
        return "TRUE" if term.value else "FALSE"
    if isinstance(term.value, int):
        return f"({term.value}::BIGINT)" if term.value < 0 else f"{term.value}::BIGINT"
    return text(str(term.value))


def number(term: Term) -> str:
    """Any term, ready for arithmetic: numbers in BIGINT, codes as text."""
    args = [number(a) for a in term.args]
    match term.op:
        case Op.COLUMN if term.type.sort is Sort.NUMBER:
            return f"CAST({column(term)} AS BIGINT)"
        case Op.COLUMN if term.type.sort is Sort.CODE:
            return f"CAST({column(term)} AS VARCHAR)"
        case Op.COLUMN:
            return column(term)
        case Op.LITERAL:
            return literal(term)
        case Op.NULL:
            return "NULL"
        case Op.PLUS | Op.MINUS | Op.TIMES:
            return f"({args[0]} {SIGNS[term.op]} {args[1]})"
        case Op.NEGATE:
            return f"(-{args[0]})"
        case Op.ABSOLUTE | Op.LEAST | Op.GREATEST | Op.COALESCE | Op.LEFT:
            return f"{term.op.value}({', '.join(args)})"
        case Op.YEAR | Op.QUARTER | Op.MONTH | Op.DAY | Op.WEEKDAY | Op.ISO_WEEKDAY | Op.DAY_OF_YEAR | Op.WEEK:
            return f"{term.op.value}({args[0]})"
        case Op.DAYS:
            return f"date_diff('day', {args[0]}, {args[1]})"
        case Op.WINDOW if term.window is not None:
            return over(term.window, args)
        case Op.FLOOR:
            return _floor(term, args[0])
        case Op.CASE:
            whens = "".join(f" WHEN {c} THEN {o}" for c, o in zip(args[:-1:2], args[1:-1:2], strict=True))
            return f"CASE{whens} ELSE {args[-1]} END"
        case _:
            return truth(term)


def _floor(term: Term, dividend: str) -> str:
    """Counted from a multiple at or below the least it can be: what is divided is never negative, so `//` rounds down."""
    by, lowest = term.args[1].value, term.type.lower
    if not isinstance(by, int) or lowest is None:
        raise ValueError("a quotient has a whole divisor and bounds")
    if lowest >= 0:
        return f"({dividend} // {by})"
    return f"(({dividend} + {-lowest * by}) // {by} - {-lowest})"


def truth(term: Term) -> str:
    """A condition. A column compared with literals stands as it is, so that filters reach the storage."""
    match term.op:
        case Op.AND | Op.OR:
            return "(" + f" {term.op.value.upper()} ".join(truth(a) for a in term.args) + ")"
        case Op.NOT:
            return f"(NOT {truth(term.args[0])})"
        case Op.BEGINS:
            return f"starts_with({column(term.args[0])}, {literal(term.args[1])})"
        case Op.MISSING:
            return f"({compared(term.args[0])} IS NULL)"
        case Op.ONE_OF:
            values = ", ".join(compared(a) for a in term.args[1:])
            return f"({side(term, 0)} IN ({values}))"
        case _ if term.op in RELATIONS:
            return f"({side(term, 0)} {RELATIONS[term.op]} {side(term, 1)})"
        case _:
            return number(term)


def side(term: Term, at: int) -> str:
    """One side of a comparison: bare next to literals, else as in arithmetic."""
    others = [a for i, a in enumerate(term.args) if i != at]
    bare = term.args[at].op is Op.LITERAL or all(o.op is Op.LITERAL for o in others)
    return compared(term.args[at]) if bare else number(term.args[at])


def compared(term: Term) -> str:
    if term.op is Op.COLUMN:
        return column(term)
    if term.op is Op.LITERAL and isinstance(term.value, int) and term.type.sort is Sort.NUMBER:
        return str(term.value)
    return number(term)
