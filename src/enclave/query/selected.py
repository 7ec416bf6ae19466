"""Which share of the rows does a filter let through, as far as may be known without looking?

From the text and what was bought: each condition on one column is tried on every public value of it, weighed by the paid
histogram of that column (evenly where none was bought); conditions on several columns count as independent; what cannot
be tried lets everything through. Persons are spread over their rows in those histograms, so it is an estimate. The
advisor plans by it, nothing else depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from enclave.catalogue.dataset import Column, Kind
from enclave.catalogue.profile import Profile
from enclave.query.plan import Op, Plan, Sort, Term

MOST_TRIED = 600
"""Of the values of a wide column: so many, evenly."""

LEAST = 1e-4
"""No filter is thought narrower."""

Value = int | str | bool | None
COMPARED = {
    Op.EQUAL: lambda a, b: a == b,
    Op.DIFFERENT: lambda a, b: a != b,
    Op.LESS: lambda a, b: a < b,
    Op.AT_MOST: lambda a, b: a <= b,
    Op.MORE: lambda a, b: a > b,
    Op.AT_LEAST: lambda a, b: a >= b,
}


class _Unknown(Exception):
    """Not a condition that is tried here."""


def share_of(plan: Plan, profile: Profile) -> float:
    """Between `LEAST` and 1."""
    if plan.where is None:
        return 1.0
    return _share(plan.where, tuple(None if source.made else source.table.name for source in plan.sources), profile)


@lru_cache(maxsize=1024)
def _share(where: Term, tables: tuple[str | None, ...], profile: Profile) -> float:
    """Found once for one price, which asks often. `tables` are those of the plan; None for what is made within a person."""
    by_column: dict[tuple[int, str], list[Term]] = {}
    for condition in _conditions(where):
        columns = {(p.ref.source, p.ref.column.name) for p in condition.walk() if p.ref}
        if len(columns) == 1 and all(tables[source] is not None for source, _ in columns):
            by_column.setdefault(columns.pop(), []).append(condition)
    passing = 1.0
    for (source, _), conditions in by_column.items():
        column = next(p.ref.column for p in conditions[0].walk() if p.ref)
        try:
            passing *= _passing(tables[source] or "", column, conditions, profile)
        except _Unknown:
            continue
    return max(passing, LEAST)


def _conditions(term: Term) -> Iterator[Term]:
    if term.op is Op.AND:
        for part in term.args:
            yield from _conditions(part)
    else:
        yield term


def _passing(table: str, column: Column, conditions: Sequence[Term], profile: Profile) -> float:
    weights = dict(_weighed(table, column, profile))
    whole = sum(weights.values())
    kept = sum(weight for value, weight in weights.items() if all(_truth(c, value) is True for c in conditions))
    return kept / whole if whole > 0 else 1.0


def _weighed(table: str, column: Column, profile: Profile) -> Iterator[tuple[Value, float]]:
    """Every public value of a column, with the persons who have it."""
    values: Sequence[Value] = column.codes or ((False, True) if column.kind is Kind.BOOLEAN else ())
    histogram = profile.of(table, column.name)
    persons = [max(p, 0.0) for p in histogram.persons] if histogram else []
    if persons and column.nullable:
        yield None, persons[-1]
    if not values:
        if column.lower is None or column.upper is None:
            raise _Unknown
        step = (column.upper - column.lower) // MOST_TRIED + 1
        edges = histogram.edges if histogram else (column.upper,)
        yield from _spread(column.lower, edges, persons or [1.0], step)
        return
    for at, value in enumerate(values):
        yield value, persons[at] if at < len(persons) else 1.0


def _spread(lower: int, edges: Sequence[int], persons: Sequence[float], step: int) -> Iterator[tuple[int, float]]:
    """Each bin evenly over its values, every so many of which are tried."""
    for edge, count in zip(edges, persons, strict=False):
        for value in range(lower, edge + 1, step):
            yield value, count * min(step, edge - value + 1) / (edge - lower + 1)
        lower = edge + 1


def _truth(term: Term, value: Value) -> Value:
    """The value of a term when the one column in it has this value; NULL as SQL has it."""
    match term.op:
        case Op.COLUMN:
            return value
        case Op.LITERAL:
            return term.value
        case Op.NOT:
            inner = _truth(term.args[0], value)
            return None if inner is None else not inner
        case Op.AND | Op.OR:
            found = [_truth(a, value) for a in term.args]
            decides = term.op is Op.OR
            return decides if decides in found else None if None in found else not decides
        case Op.MISSING:
            return _truth(term.args[0], value) is None
        case Op.ONE_OF:
            first, *rest = (_truth(a, value) for a in term.args)
            return None if first is None else first in rest
    if term.op not in COMPARED or any(a.type.sort is Sort.TEXT for a in term.args):
        raise _Unknown
    left, right = (_truth(a, value) for a in term.args)
    if left is None or right is None:
        return None
    if type(left) is not type(right) or any(a.type.scale != term.args[0].type.scale for a in term.args):
        raise _Unknown
    return bool(COMPARED[term.op](left, right))
