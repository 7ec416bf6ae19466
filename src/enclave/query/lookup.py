"""What does a public list tell of a code?

A reference table is text of the policy: one row for each code of a list, nobody's rows. Joined on a column of such codes it
is read into the question while planning: its columns become terms of that column, so every row stays one row of its own
table, no norm is touched, and nothing more is emitted than a CASE. A key made so is a function of a code like any other.
"""

from __future__ import annotations

from fractions import Fraction

from enclave.catalogue.dataset import Column, Kind, Lookup, Reference, Table
from enclave.query import terms
from enclave.query.plan import Op, Sort, Term, Type


def table_of(reference: Reference) -> Table:
    """The same as a table of the dictionary: its key, then its columns."""
    key = Column(reference.key, Kind.CODE, codes=reference.codes, nullable=False)
    return Table(reference.name, unit="", columns=(key, *(_column(c) for c in reference.columns)), row_clip=1)


def _column(column: Lookup) -> Column:
    values = [value for value, _ in column.values]
    numbers = [v for v in values if isinstance(v, int)]
    if numbers:
        return Column(column.name, Kind.INTEGER, min(numbers), max(numbers), nullable=True)
    return Column(column.name, Kind.CODE, codes=tuple(str(v) for v in values), nullable=True)


def is_listed(code: Term, reference: Reference) -> Term:
    """True where the list has a row for the code; Unfit where it is no column of such codes."""
    if code.type.sort is not Sort.CODE or not set(code.type.codes) & set(reference.codes):
        raise terms.Unfit("query.look_up", table=reference.name, column=reference.key)
    return among(code, reference.codes)


def among(code: Term, codes: tuple[str, ...]) -> Term:
    known = set(code.type.codes)
    listed = (Term(Op.LITERAL, Type(Sort.CODE, False, codes=(c,)), value=c) for c in codes if c in known)
    return terms.shallow(Term(Op.ONE_OF, terms.TRUTH, (code, *listed)))


def told(code: Term, reference: Reference, name: str, *, kept: bool) -> Term:
    """A column of the list as a term of the code. `kept`: rows whose code is not listed are left out (no LEFT JOIN)."""
    if name == reference.key:
        return code if kept else terms.chosen(Op.CASE, (among(code, reference.codes),), (code, terms.null()))
    column = next(c for c in reference.columns if c.name == name)
    known = set(code.type.codes)
    values = [(value, codes) for value, codes in column.values if known & set(codes)]
    outcomes = tuple(terms.number(Fraction(v)) if isinstance(v, int) else terms.text(v) for v, _ in values)
    if not outcomes:
        raise terms.Unfit("query.look_up", table=reference.name, column=reference.key)
    conditions = tuple(among(code, codes) for _, codes in values)
    told_of = {c for _, codes in values for c in codes}
    if kept and known & set(reference.codes) <= told_of:  # every row that is kept has a value: the last is what is left
        return terms.chosen(Op.CASE, conditions[:-1], outcomes) if len(outcomes) > 1 else _always(code, outcomes[0])
    return terms.chosen(Op.CASE, conditions, (*outcomes, terms.null()))


def _always(code: Term, outcome: Term) -> Term:
    return terms.chosen(Op.CASE, (terms.missing(code),), (outcome, outcome))
