"""Which SQL of our own computes the tallies of a plan?

One SELECT for each (style, norm) among the tallies. It returns the group keys, then one BIGINT per tally. Rules kept:

- only names of the dictionary (quoted) and literals we rendered ourselves; the same plan gives the same bytes
- rows at or under the clip take weight 65536 in one branch, rows above it numerator // norm in another; a NULL norm
  belongs to neither, so it weighs nothing. Where rows are stored in order of the norm the second branch skips blocks
- arithmetic in BIGINT whose width was proved, sums in HUGEINT, the total saturated to int64, never checked and raised
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query.exact import weighed_rows
from enclave.query.plan import Plan, Term
from enclave.query.products import products_of
from enclave.query.sources import condition, multiplicity, rows_of
from enclave.query.sscp import Matrix
from enclave.query.tally import Bins, Norm, Style, Tally
from enclave.query.written import bin_number, key, number, saturated, value


@dataclass(frozen=True)
class Statement:
    """One SELECT: `keys` key columns, the last of them the number of a bin (or of an entry of a matrix) where there are
    `bins`, then one BIGINT for each of `tallies` (indexes into those of the plan)."""

    sql: str
    keys: int
    tallies: tuple[int, ...]
    bins: int = 0


def emitted(plan: Plan, tallies: tuple[Tally, ...]) -> tuple[Statement, ...]:
    """The statements of a plan, in the order in which their first tally stands."""
    families: dict[tuple[Style, Norm, Bins | None, Matrix | Term | None], list[int]] = {}
    for at, tally in enumerate(tallies):
        apart = tally.term if tally.style is Style.VALUES else tally.matrix
        families.setdefault((tally.style, tally.norm, tally.bins, apart), []).append(at)
    return tuple(
        Statement(
            _statement(plan, style, norm, [tallies[i] for i in members]),
            len(plan.keys) + tallies[members[0]].is_numbered,
            tuple(members),
            tallies[members[0]].size if tallies[members[0]].is_numbered else 0,
        )
        for (style, norm, *_), members in families.items()
    )


def _statement(plan: Plan, style: Style, norm: Norm, tallies: list[Tally]) -> str:
    if tallies[0].matrix:
        return products_of(plan, style, norm, tallies[0].matrix)
    if style is Style.DISTINCT:
        return _distinct(plan, norm, len(tallies))
    if style is Style.VALUES:
        return _of_values(plan, norm, tallies)
    if style in (Style.EXACT, Style.EXACT_DISTINCT):
        return _exact(plan, style, norm, tallies)
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, norm)}"
    under = [_unweighed(t) for t in tallies]
    keys = [key(k.term) for k in plan.keys] + [bin_number(b) for b in (tallies[0].bins,) if b]
    keys = [f"{k} AS k{i}" for i, k in enumerate(keys)]
    if norm.column is None:
        return _select([*keys, *(f"{saturated(u)} AS a{i}" for i, u in enumerate(under))], rows, len(keys))
    stored = f't0."{norm.column}"'
    light = [f"{u} AS a{i}" for i, u in enumerate(under)]
    heavy = [f"{_weighed(t)} AS a{i}" for i, t in enumerate(tallies)]
    weighed = ", ".join([*keys, f"{norm.numerator} // {stored} AS w", *_values(tallies)])
    names = [f"k{i}" for i in range(len(keys))]
    branches = " UNION ALL ".join(
        [
            _select([*keys, *light], f"{rows} AND {stored} <= {norm.clipped_from}", len(keys)),
            _select([*names, *heavy], f"(SELECT {weighed} FROM {rows} AND {stored} > {norm.clipped_from})", len(keys)),
        ]
    )
    totals = [f"{saturated(f'sum(a{i})')} AS a{i}" for i in range(len(tallies))]
    return _select([*names, *totals], f"({branches})", len(keys))


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
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, norm)}"
    weighed = f"(SELECT {', '.join([*keys, f'{key(term)} AS v', weight])} FROM {rows})"
    values = _select([*names, "v", "max(w) AS w"], f"{weighed} WHERE v IS NOT NULL", 0)
    grouped = f"({values} GROUP BY {', '.join([*names, 'v'])})"
    return _select([*names, *(f"{saturated('sum(w)')} AS a{i}" for i in range(len(tallies)))], grouped, len(keys))


def _distinct(plan: Plan, norm: Norm, copies: int) -> str:
    """One row per person and cell, weighed by the person's norm."""
    rows = f"{rows_of(plan.sources, plan)} WHERE {condition(plan, norm)}"
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
    return _select([*names, *(f"{saturated(weight)} AS a{i}" for i in range(copies))], cells, len(keys))


def _exact(plan: Plan, style: Style, norm: Norm, tallies: list[Tally]) -> str:
    """Rows weighed by the length of the person's own vector over the keys of the plan; bins are finer."""
    distinct, times = style is Style.EXACT_DISTINCT, any(s.many for s in plan.sources)
    keys = [f"{key(k.term)} AS k{i}" for i, k in enumerate(plan.keys)]
    names = [f"k{i}" for i in range(len(keys))]
    binned = [f"{bin_number(b)} AS k{len(keys)}" for b in (tallies[0].bins,) if b]
    person = f't0."{plan.root.unit}" AS u'
    times = times and not distinct
    multiplied = [f"{multiplicity(plan.sources)} AS m"] if times else []
    values = [] if distinct else _values(tallies)
    named = [v.rsplit(" AS ", 1)[1] for v in values]
    selected = ", ".join([person, *keys, *binned, *multiplied, *values])
    once = "DISTINCT " if distinct else ""
    rows = f"SELECT {once}{selected} FROM {rows_of(plan.sources, plan)} WHERE {condition(plan, norm)}"
    if norm.at is not None:
        added = f"abs({named[0]})" + (" * m" if times else "")
        adds = f"coalesce(sum({added}), 0)"
    else:
        adds = "sum(m)" if times else "count(*)"
    extra = [f"k{len(keys)}"] if binned else []
    weighed = weighed_rows(rows, names, adds, norm, [*extra, *named], times=times)
    totals = [f"{saturated('sum(w)' if distinct else _weighed(t))} AS a{i}" for i, t in enumerate(tallies)]
    return _select([*names, *extra, *totals], weighed, len(names) + len(extra))


def _select(columns: list[str], rows: str, keys: int) -> str:
    grouped = f" GROUP BY {', '.join(str(i + 1) for i in range(keys))}" if keys else ""
    return f"SELECT {', '.join(columns)} FROM {rows}{grouped}"


def _unweighed(tally: Tally) -> str:
    """The total of rows that weigh 65536."""
    if tally.counts:
        counted = "*" if tally.term is None or not tally.term.type.nullable else number(tally.term)
        return f"CAST(count({counted}) AS HUGEINT) * {WEIGHT_ONE}"
    return f"sum({value(tally)}) * {WEIGHT_ONE}"


def _weighed(tally: Tally) -> str:
    """The total of rows that weigh w; their values stand in columns v."""
    if tally.counts and (tally.term is None or not tally.term.type.nullable):
        return "sum(w)"
    name = _value_name(tally)
    return f"sum(CASE WHEN {name} IS NOT NULL THEN w END)" if tally.counts else f"sum(w * {name})"


def _value_name(tally: Tally) -> str:
    return f"v{tally.aggregate}{'c' if tally.counts else tally.part}"


def _values(tallies: list[Tally]) -> list[str]:
    needed = [t for t in tallies if t.term is not None and not (t.counts and not t.term.type.nullable)]
    return [
        f"{number(t.term) if t.counts and t.term else f'CAST({value(t)} AS BIGINT)'} AS {_value_name(t)}"
        for t in needed
    ]
