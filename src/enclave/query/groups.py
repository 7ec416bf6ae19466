"""By which columns do rows fall together before anything is computed of them?

A scan is cheapest when it only counts and sums stored columns by stored columns. So where the columns that a key, a bin or
a value is computed from can take few values (by the dictionary), rows are grouped by those columns as they rest, and the
key or value is computed once for each group. What has no short list of values is computed row by row.

Of what is made within one person the engine knows no statistics, so its groups are found by a hash: worth it for a key or a
bin, which is text or a choice of many, and not for a value that is only added up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from enclave.catalogue.dataset import Column, Kind
from enclave.query.plan import Made, Op, Plan, Ref, Term
from enclave.query.tally import Bins
from enclave.query.written import bin_number, key, number

MOST_BITS = 14
"""Bits of all columns together: so many groups the engine addresses without a hash (`engine` says so to it)."""


def values_of(column: Column) -> int | None:
    """How many values a column may have, NULL included; None when nothing says."""
    if column.kind is Kind.BOOLEAN:
        return 3
    if column.codes:
        return len(column.codes) + 1
    if column.lower is not None and column.upper is not None:
        return column.upper - column.lower + 2
    return None


@dataclass(frozen=True)
class Groups:
    """`columns` over rows (the n-th is named group_n), and over the groups `keys`, the number of a bin last."""

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    at: dict[Ref, int]

    @property
    def names(self) -> list[str]:
        return [f"group_{i}" for i in range(len(self.columns))]

    @property
    def selected(self) -> list[str]:
        return [f"{column} AS group_{i}" for i, column in enumerate(self.columns)]

    def over(self, term: Term) -> Term | None:
        """The same term of the groups; None where it must be computed row by row."""
        if any(ref not in self.at for ref in _refs(term)):
            return None
        return _moved(term, self.at)


class _Chosen:
    """Columns chosen so far, and how many bits they take."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.at: dict[Ref, int] = {}
        self.bits = 0

    def as_they_rest(self, term: Term, *, always: bool = False) -> bool:
        """Group by the columns a term reads, where they are few; a bare key is one in any case."""
        new = sorted(_refs(term) - self.at.keys(), key=lambda ref: (ref.source, ref.column.name))
        bits = [_bits(ref.column) for ref in new]
        if not always and self.bits + sum(bits) > MOST_BITS:
            return False
        for ref, size in zip(new, bits, strict=True):
            self.at[ref] = len(self.columns)
            self.columns.append(key(Term(Op.COLUMN, term.type, ref=ref)))
            self.bits += size
        return True

    def row_by_row(self, sql: str) -> str:
        """Group by what is computed for each row."""
        self.columns.append(sql)
        self.bits += MOST_BITS + 1  # the engine knows nothing of its values
        return f't0."group_{len(self.columns) - 1}"'


def grouped(plan: Plan, bins: Bins | None, values: Iterable[Term]) -> Groups:
    """The groups of a scan: `values` are the terms that are added up, and are worth a group only beside others."""
    made = _Chosen()
    for k in plan.keys:
        if k.term.op is Op.COLUMN:
            made.as_they_rest(k.term, always=True)
    written = {i: made.row_by_row(number(k.term)) for i, k in enumerate(plan.keys) if not made.as_they_rest(k.term)}
    numbered = None
    if bins is not None and not made.as_they_rest(bins.term):
        numbered = made.row_by_row(bin_number(bins))
    for term in values:
        if made.columns and not any(isinstance(ref.column, Made) for ref in _refs(term)):
            made.as_they_rest(term)
    keys = [written.get(i) or key(_moved(k.term, made.at)) for i, k in enumerate(plan.keys)]
    if bins is not None:
        keys.append(numbered or bin_number(replace(bins, term=_moved(bins.term, made.at))))
    return Groups(tuple(made.columns), tuple(keys), made.at)


def by_keys(plan: Plan, bins: Bins | None) -> Groups:
    """The keys themselves, and nothing finer: where the length of a person's vector over them is asked for."""
    columns = [key(k.term) for k in plan.keys] + ([bin_number(bins)] if bins else [])
    return Groups(tuple(columns), tuple(f't0."group_{i}"' for i in range(len(columns))), {})


def _bits(column: Column) -> int:
    values = values_of(column)
    return MOST_BITS + 1 if values is None else values.bit_length()


def _refs(term: Term) -> set[Ref]:
    return {t.ref for t in term.walk() if t.ref is not None}


def _moved(term: Term, at: dict[Ref, int]) -> Term:
    """The term over the columns of the groups, which stand under one name."""
    if term.ref is not None:
        column = Column(f"group_{at[term.ref]}", term.ref.column.kind)
        return replace(term, ref=Ref(0, column))
    return replace(term, args=tuple(_moved(a, at) for a in term.args)) if term.args else term
