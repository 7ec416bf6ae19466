"""Which SQL of our own computes the tallies of a plan?

One SELECT for each way of bringing rows in (style, bins, rows that count), whatever the norms of its tallies. It returns the
group keys, then one HUGEINT or BIGINT per tally, or NULL where no row is. Rules kept:

- only names of the dictionary (quoted) and literals we rendered ourselves; the same plan gives the same bytes
- rows at or under the clip weigh 65536, rows above it numerator // norm, a row without a norm nothing (`scan`, `exact`)
- row by row in widths that were proved, sums in HUGEINT, never checked and raised: `engine` saturates them to int64
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import exact, scan
from enclave.query.groups import by_keys, grouped
from enclave.query.marked import marked, persons_by_value
from enclave.query.plan import Plan, Term
from enclave.query.products import products_of
from enclave.query.sources import condition, is_dear, rows_of, times
from enclave.query.sums import Sums
from enclave.query.tally import EXACT_ROWS, Norm, Style, Tally
from enclave.query.written import key

EXACT = (Style.EXACT, Style.EXACT_DISTINCT)


@dataclass(frozen=True)
class Statement:
    """One SELECT: `keys` key columns, the last of them the number of a bin (or of an entry of a matrix) where there are
    `bins`, then one total for each of `tallies` (indexes into those of the plan)."""

    sql: str
    keys: int
    tallies: tuple[int, ...]
    bins: int = 0


def emitted(plan: Plan, tallies: tuple[Tally, ...]) -> tuple[Statement, ...]:
    """The statements of a plan, in the order in which their first tally stands."""
    return tuple(
        Statement(
            _statement(plan, [tallies[i] for i in members]),
            1 if tallies[members[0]].style is Style.KEYS else len(plan.keys) + tallies[members[0]].is_numbered,
            tuple(members),
            tallies[members[0]].size if tallies[members[0]].is_numbered else 0,
        )
        for members in families(tallies).values()
    )


def families(tallies: tuple[Tally, ...]) -> dict[object, list[int]]:
    """Which tallies (by number) share a statement."""
    found: dict[object, list[int]] = {}
    for at, tally in enumerate(tallies):
        found.setdefault(_family(tally), []).append(at)
    return found


def _family(tally: Tally) -> tuple[object, ...]:
    """Tallies of one family share a statement: the same rows by the same keys."""
    shared = (tally.style, tally.bins, tally.known, tally.matrix)
    if tally.style in (Style.ROWS, Style.FLAGGED):
        return (*shared, tally.norm.flag)
    if tally.norm.column == EXACT_ROWS:
        return (*shared, EXACT_ROWS)
    return (*shared, tally.norm, tally.term if tally.style is Style.VALUES else None)


def _statement(plan: Plan, tallies: list[Tally]) -> str:
    style, norm = tallies[0].style, tallies[0].norm
    if style is Style.KEYS:
        return persons_by_value(plan)
    if style is Style.DISTINCT:
        return _distinct(plan, tallies)
    if style is Style.VALUES:
        return _of_values(plan, norm, tallies)
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, tallies[0])}"
    if tallies[0].matrix:
        return products_of(plan, style, norm, tallies[0].matrix, rows)
    return _exact(plan, rows, tallies) if style in EXACT else _scanned(plan, rows, tallies)


def _scanned(plan: Plan, rows: str, tallies: list[Tally]) -> str:
    values = [t for tally in tallies for t in _terms(tally)]
    sums = Sums(grouped(plan, tallies[0].bins, values))
    totals = [sums.total(t) for t in tallies]
    added = scan.once if is_dear(plan) else scan.branches
    return _totalled(sums, totals, added(rows, sums.groups, sums.named))


def _terms(tally: Tally) -> list[Term]:
    return [t for t in (tally.term, tally.product.other if tally.product else None) if t is not None]


def _exact(plan: Plan, rows: str, tallies: list[Tally]) -> str:
    """Rows weighed by the length of the person's own vector over the keys of the plan; bins are finer."""
    norm, distinct = tallies[0].norm, tallies[0].style is Style.EXACT_DISTINCT
    by_rows = norm.column == EXACT_ROWS
    sums = Sums(by_keys(plan, tallies[0].bins))
    totals = [sums.total(t, added=by_rows) for t in tallies]
    read = exact.Rows(rows, f't0."{plan.root.unit}"', "" if distinct else times(plan.sources), once=distinct)
    of_value = tallies[0].term if norm.at is not None else None
    if by_rows:
        return _totalled(sums, totals, exact.by_rows(read, sums.groups, sums.named), added=True)
    return _totalled(sums, totals, exact.branches(read, sums.groups, len(plan.keys), sums.named, norm, of_value))


def _totalled(sums: Sums, totals: list[str], branches: str, *, added: bool = False) -> str:
    """Over branches to be added up; or over one row of each key, where they are."""
    columns = [f"{k} AS k{i}" for i, k in enumerate(sums.groups.keys)]
    named = [f"{total} AS a{i}" for i, total in enumerate(totals)]
    return _select([*columns, *named], f"({branches}) AS t0", 0 if added else len(columns))


def _of_values(plan: Plan, norm: Norm, tallies: list[Tally]) -> str:
    """One row per cell and value, weighed by the largest weight of the persons who bring it."""
    term = tallies[0].term
    if term is None:
        raise ValueError("distinct values are those of a term")
    keys = [f"{key(k.term)} AS k{i}" for i, k in enumerate(plan.keys)]
    names = [f"k{i}" for i in range(len(keys))]
    weight = f"{WEIGHT_ONE}::BIGINT AS w"
    if norm.column is not None:
        stored = f'CAST(t0."{norm.column}" AS BIGINT)'
        divisor = f"({stored} * {stored})" if norm.squared else stored
        above = f"WHEN {stored} > {norm.clipped_from} THEN {norm.numerator} // {divisor}"
        weight = f"CASE WHEN {stored} <= {norm.clipped_from} THEN {WEIGHT_ONE} {above} ELSE 0 END AS w"
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, tallies[0])}"
    weighed = f"(SELECT {', '.join([*keys, f'{key(term)} AS v', weight])} FROM {rows})"
    values = _select([*names, "v", "max(w) AS w"], f"{weighed} WHERE v IS NOT NULL", 0)
    grouped = f"({values} GROUP BY {', '.join([*names, 'v'])})"
    return _select([*names, *(f"sum(w) AS a{i}" for i in range(len(tallies)))], grouped, len(keys))


def _distinct(plan: Plan, tallies: list[Tally]) -> str:
    """One row per person and cell, weighed by the person's norm."""
    norm, copies = tallies[0].norm, len(tallies)
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, tallies[0])}"
    if tallies[0].votes:
        rows += f" AND {marked(plan)}"
    keys = [f"{key(k.term)} AS k{i}" for i, k in enumerate(plan.keys)]
    names = [f"k{i}" for i in range(len(keys))]
    person = f't0."{plan.root.unit}" AS u'
    if norm.column is None:
        cells = f"(SELECT DISTINCT {', '.join([person, *keys])} FROM {rows})"
        weight = f"CAST(count(*) AS HUGEINT) * {WEIGHT_ONE}"
    else:
        stored = f't0."{norm.column}" AS n'
        cells = f"(SELECT DISTINCT {', '.join([person, *keys, stored])} FROM {rows})"
        above = f"WHEN n > {norm.clipped_from} THEN {norm.numerator} // n"
        weight = f"sum(CASE WHEN n <= {norm.clipped_from} THEN {WEIGHT_ONE} {above} ELSE 0 END)"
    return _select([*names, *(f"{weight} AS a{i}" for i in range(copies))], cells, len(keys))


def _select(columns: list[str], rows: str, keys: int) -> str:
    grouped = f" GROUP BY {', '.join(str(i + 1) for i in range(keys))}" if keys else ""
    return f"SELECT {', '.join(columns)} FROM {rows}{grouped}"
