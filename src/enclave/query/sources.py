"""From which rows does a plan read?

Tables of the extract, and what is made of them within one person, joined as the plan says. A joined table with a person
key must agree on the person, whatever the join column is: the row of another person never touches a count.
"""

from __future__ import annotations

from functools import reduce

from enclave.catalogue.dataset import NORM_STEP, Column
from enclave.query.plan import HUNDREDTHS, Branch, Lent, Op, Part, PerPerson, Plan, Source, Term, Verb, Within
from enclave.query.tally import Tally
from enclave.query.written import CATALOG, compared, key, number, stored_name, truth


def rows_of(sources: tuple[Source, ...], plan: Plan | None = None) -> str:
    """What follows FROM. Where one row may meet many, each such side is first told apart only by what the plan reads of
    it, with the number of rows that agree: the join then never grows with rows, only with what a person may differ in."""
    root, written = sources[0].table, []
    several = several_of(sources)
    for i, source in enumerate(sources):
        table = f"{_told_apart(plan, i) if plan and i in several else _table(source)} AS t{i}"
        if i == 0:
            written.append(table)
            continue
        if source.idle:
            continue
        near = sources[source.near].table
        on = f't{source.near}."{source.column}" = t{i}."{source.to}"'
        if source.table.unit and (source.column, source.to) != (near.unit, source.table.unit):
            on += f' AND t0."{root.unit}" = t{i}."{source.table.unit}"'
        written.append(f"{'LEFT' if source.keep_unmatched else 'INNER'} JOIN {table} ON {on}")
    return " ".join(written)


def is_dear(plan: Plan) -> bool:
    """Rows are joined or made before they are added up: to be done once."""
    return plan.sources[0].made is not None or any(not s.idle for s in plan.sources[1:])


def several_of(sources: tuple[Source, ...]) -> tuple[int, ...]:
    """The sides of a many-to-many join."""
    if not any(s.many for s in sources):
        return ()
    return tuple(i for i, s in enumerate(sources) if s.many or (i == 0 and not s.table.one_row_per_person))


MOST_TIMES = 2**46
"""Whoever adds more rows than this to one cell weighs nothing (`exact`)."""


def times(sources: tuple[Source, ...]) -> str:
    """How many rows of the join one row here stands for, a HUGEINT; nothing where it is always one. Where three sides or
    more meet, at most one above `MOST_TIMES`: six sides of a person with two million rows would leave every width there is,
    and the question would fail because of that person."""
    counts = [f'CAST(coalesce(t{i}."made_rows", 1) AS HUGEINT)' for i in several_of(sources)]
    if len(counts) < 3:
        return " * ".join(counts)
    return reduce(lambda made, count: f"least({made} * {count}, {MOST_TIMES + 1})", counts)


def used_columns(plan: Plan, at: int) -> list[Column]:
    """What the plan reads of a side, its own filter aside."""
    terms = [k.term for k in plan.keys] + [t for a in plan.aggregates for t in a.terms]
    terms += [c for c in conjuncts(plan.where) if not is_own(plan, c, at)]
    found = {t.ref.column.name: t.ref.column for term in terms for t in term.walk() if t.ref and t.ref.source == at}
    return [found[name] for name in sorted(found)]


def conjuncts(where: Term | None) -> tuple[Term, ...]:
    if where is None:
        return ()
    return where.args if where.op is Op.AND else (where,)


def is_own(plan: Plan, term: Term, at: int) -> bool:
    """A condition on one side alone; on the far side of a LEFT JOIN it must wait for the join."""
    refs = {t.ref.source for t in term.walk() if t.ref}
    return refs == {at} and not plan.sources[at].keep_unmatched


def left_over(plan: Plan) -> tuple[Term, ...]:
    """The conditions that hold of the join, those of one side alone being held there."""
    sides = several_of(plan.sources)
    return tuple(c for c in conjuncts(plan.where) if not any(is_own(plan, c, at) for at in sides))


def condition(plan: Plan, tally: Tally) -> str:
    """The filter of the question, the flag where rows are counted by it, and what must have a value."""
    several = any(s.many for s in plan.sources)
    parts = [truth(c) for c in left_over(plan)] if several else [truth(plan.where)] if plan.where else []
    if tally.norm.flag:
        parts.append(f't0."{tally.norm.flag}"')
    parts += [f"{compared(term)} IS NOT NULL" for term in tally.known]
    return " AND ".join(f"({p})" for p in parts) or "TRUE"


def _told_apart(plan: Plan, at: int) -> str:
    source = plan.sources[at]
    names = [f't{at}."{stored_name(c)}" AS "{stored_name(c)}"' for c in used_columns(plan, at)]
    selected = ", ".join([f't{at}."{source.table.unit}" AS "{source.table.unit}"', *names])
    own = [truth(c) for c in conjuncts(plan.where) if is_own(plan, c, at)]
    where = f" WHERE {' AND '.join(own)}" if own else ""
    grouped = ", ".join(str(i + 1) for i in range(len(names) + 1))
    return f'(SELECT {selected}, count(*) AS "made_rows" FROM {_table(source)} AS t{at}{where} GROUP BY {grouped})'


def _table(source: Source) -> str:
    if source.made is None:
        return f'"{CATALOG}"."main"."{source.table.name}"'
    return f"({made(source.made, source.table.unit)})"


def made(within: Within, unit: str) -> str:
    """Rows within one person, with the person's key under the name `unit`."""
    if isinstance(within, PerPerson):
        return _per_person(within, unit)
    return " UNION ALL ".join(_branch(b, unit, alone=len(within.branches) == 1) for b in within.branches)


def _branch(branch: Branch, unit: str, *, alone: bool) -> str:
    own = branch.sources[0].table.unit
    columns = [f't0."{own}" AS "{unit}"']
    columns += [f'{key(c) if alone else number(c)} AS "made_{i}"' for i, c in enumerate(branch.columns)]
    where = f" WHERE {truth(branch.where)}" if branch.where else ""
    return f"SELECT {', '.join(columns)} FROM {rows_of(branch.sources)}{where}"


def _per_person(within: PerPerson, unit: str) -> str:
    own = within.sources[0].table.unit
    keys = [f'{key(k)} AS "made_{i}"' for i, k in enumerate(within.keys)]
    parts = [f'{_part(p)} AS "made_{len(keys) + i}"' for i, p in enumerate(within.parts)]
    where = f" WHERE {truth(within.where)}" if within.where else ""
    grouped = ", ".join(str(i + 1) for i in range(len(keys) + 1))
    person = f't0."{own}" AS "{unit}"'
    if counts_rows(within):
        parts = [f'{_part(p, STORED_ROWS)} AS "made_{i}"' for i, p in enumerate(within.parts)]
        where, grouped = ' WHERE t0."first_unit"', ""
    lent = [f'{_lent(norm)} AS "{norm.name}"' for norm in within.lent]
    selected = ", ".join([person, *keys, *parts, *lent])
    groups = f"SELECT {selected} FROM {rows_of(within.sources)}{where}{grouped and f' GROUP BY {grouped}'}"
    columns = [f't0."{unit}" AS "{unit}"', *(f'{key(c)} AS "made_{i}"' for i, c in enumerate(within.columns))]
    columns += [f't0."{norm.name}" AS "{norm.name}"' for norm in within.lent]
    having = f" WHERE {truth(within.having)}" if within.having else ""
    return f"SELECT {', '.join(columns)} FROM ({groups}) AS t0{having}"


def _lent(norm: Lent) -> str:
    """A norm is one for all rows of a person; a count is rounded up in 1/256 from the square of its root."""
    stored = f'min(t0."{norm.stored}")'
    if not norm.squared:
        return stored
    return f"(CAST({stored} AS BIGINT) * {stored} + {NORM_STEP - 1}) // {NORM_STEP}"


STORED_ROWS = f'CAST(t0."unit_rows" AS BIGINT) // {NORM_STEP}'


def counts_rows(within: PerPerson) -> bool:
    """All rows of a person in one table counted, nothing else: that number rests on each of them, one of which is marked."""
    counted = all(p.verb is Verb.COUNT and p.term is None and p.only is None for p in within.parts)
    stored = all(s.made is None and (s.idle or not at) for at, s in enumerate(within.sources))
    return counted and stored and not within.keys and within.where is None


def _part(part: Part, stored: str = "") -> str:
    """The aggregate (or what is `stored` for it), kept within its clip; a person without values has NULL, not the clip."""
    term = "*" if part.term is None else number(part.term)
    if part.verb is Verb.MEAN and part.clip is not None:
        return _mean(term, f" FILTER (WHERE {truth(part.only)})" if part.only else "", *part.clip)
    distinct = "DISTINCT " if part.verb is Verb.DISTINCT else ""
    verb = "count" if part.verb is Verb.DISTINCT else part.verb.value
    only = f" FILTER (WHERE {truth(part.only)})" if part.only else ""
    written = stored or f"{verb}({distinct}{term}){only}"
    if part.clip is None:
        return written
    lower, upper = part.clip
    if part.verb is not Verb.SUM:
        return f"least({written}, {upper})"
    clipped = f"CAST(least(greatest({written}, {lower}), {upper}) AS BIGINT)"
    return f"CASE WHEN {written} IS NULL THEN NULL ELSE {clipped} END"


def _mean(term: str, only: str, lower: int, upper: int) -> str:
    """The nearest hundredth of Σx / n, in whole numbers: counted from the lower bound, so that nothing divided is negative;
    kept within the bounds. A person without values has NULL."""
    rows = f"CAST(count({term}){only} AS HUGEINT)"
    above = f"(coalesce(sum({term}){only}, 0) - {lower}::HUGEINT * {rows})"
    nearest = f"({2 * HUNDREDTHS} * {above} + {rows}) // (2 * {rows}) + {lower * HUNDREDTHS}"
    kept = f"CAST(least(greatest({nearest}, {lower * HUNDREDTHS}), {upper * HUNDREDTHS}) AS BIGINT)"
    return f"CASE WHEN {rows} = 0 THEN NULL ELSE {kept} END"
