"""What table describes rows made within one person?

Its columns are `Made`, with the types proved of their terms; its name is the analyst's and is never emitted. Stacked
branches are brought to one type that holds for all.
"""

from __future__ import annotations

from dataclasses import replace
from math import lcm

from enclave.catalogue.dataset import Column, Facet, Kind, Table
from enclave.query import terms
from enclave.query.plan import Branch, Made, Op, Sort, Source, Stacked, Term, Type, Within

KIND = {Sort.CODE: Kind.CODE, Sort.KEY: Kind.KEY, Sort.DATE: Kind.DATE, Sort.TEXT: Kind.TEXT, Sort.TRUTH: Kind.BOOLEAN}
Derived = tuple[Table, Within]


def stacked(derived: list[Derived], name: str) -> Derived:
    """Branches one after another; each column is brought to one type that holds for all."""
    columns = []
    per_branch: list[list[Term]] = [[] for _ in derived]
    tables = [table for table, _ in derived]
    for at in range(len(tables[0].columns) - 1):
        mine = [made_columns(t)[at] for t in tables]
        kinds = [terms.column(0, c, may_be_absent=False) for c in mine]
        if len({k.type.sort for k in kinds}) > 1:
            raise terms.Unfit("query.mixed_kinds", left=kinds[0].type.sort, right=kinds[-1].type.sort)
        kinds = list(one_scale(tuple(kinds)))
        clips = [total_clip_of(k, t, c) for k, t, c in zip(kinds, tables, mine, strict=True)]
        clip = sum(c for c in clips if c is not None) if None not in clips else None
        columns.append(made_column(mine[0].name, union_type([k.type for k in kinds]), at, clip))
        for into, term in zip(per_branch, kinds, strict=True):
            into.append(term)
    branches = []
    for (table, made), terms_of in zip(derived, per_branch, strict=True):
        if isinstance(made, Stacked) and len(made.branches) == 1 and all(t.op is Op.COLUMN for t in terms_of):
            branches.append(made.branches[0])
        else:
            branches.append(Branch((Source(table, made=made),), None, tuple(terms_of)))
    table = table_of(name, tables[0].unit, columns, sum(t.row_clip for t in tables), one=False)
    return table, Stacked(tuple(branches), tuple(dict.fromkeys(w for _, made in derived for w in made.said)))


def one_scale(found: tuple[Term, ...]) -> tuple[Term, ...]:
    if found[0].type.sort is not Sort.NUMBER:
        return found
    if any(not t.type.bounded for t in found):
        return tuple(found)
    return terms.aligned(found)


def total_clip_of(term: Term, table: Table, column: Made) -> int | None:
    """How much one person may add in a branch: declared, or the reach of as many rows as the branch may have."""
    if not term.type.bounded or term.type.sort is not Sort.NUMBER:
        return None
    at_most = max(term.type.reach, 1) * table.row_clip
    if column.total_clip is None:
        return at_most
    return min(at_most, column.total_clip * (term.type.scale // column.scale))


def union_type(types: list[Type]) -> Type:
    known = [t for t in types if t.lower is not None and t.upper is not None]
    whole = len(known) == len(types)
    return Type(
        types[0].sort,
        any(t.nullable for t in types),
        min(t.lower or 0 for t in known) if whole else None,
        max(t.upper or 0 for t in known) if whole else None,
        scale=lcm(*(t.scale for t in types)),
        codes=tuple(dict.fromkeys(c for t in types for c in t.codes)),
    )


def made_column(name: str, kind: Type, at: int, total_clip: int | None = None) -> Made:
    number = Kind.INTEGER if kind.scale == 1 else Kind.DECIMAL
    return Made(
        name,
        KIND.get(kind.sort, number),
        kind.lower,
        kind.upper,
        scale=kind.scale,
        codes=kind.codes,
        nullable=kind.nullable,
        total_clip=total_clip,
        at=at,
    )


def made_columns(table: Table) -> list[Made]:
    return [c for c in table.columns if isinstance(c, Made)]


def table_of(
    name: str, unit: str, columns: list[Made], row_clip: int, *, one: bool, facets: tuple[Facet, ...] = ()
) -> Table:
    first, key = Column(unit, Kind.TEXT, nullable=False), (unit,) if one else ()
    return Table(name=name, unit=unit, key=key, row_clip=row_clip, columns=(first, *columns), facets=facets)


def settled(term: Term) -> Term:
    """A term fit to be a column: not a bare NULL, and quoted text is a code of one."""
    if term.type.sort is Sort.TEXT and term.op is Op.LITERAL:
        return replace(term, type=Type(Sort.CODE, False, codes=(str(term.value),)))
    if term.op is Op.NULL:
        raise terms.Unfit("query.bare_null")
    return term
