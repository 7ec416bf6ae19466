"""How much longer does it take to compute within one person?

Worst nanoseconds for one public row, measured on a warm extract at full load, added up over the levels of a question.
"""

from __future__ import annotations

import math

from enclave.query.groups import grouped, values_of
from enclave.query.plan import Op, PerPerson, Plan, Source, Term, Verb
from enclave.query.sources import counts_rows, several_of, used_columns
from enclave.query.sscp import Matrix
from enclave.query.tally import Style

PERSON_NS = 350.0
"""Rows grouped by the person."""

STORED_NS = 40.0
"""A person's rows where their number is stored and read from one of them."""

DISTINCT_NS = 700.0
ROW_NS = 20.0
PART_NS = 15.0
FEW_PARTS = 8
WINDOW_NS = 4_000.0
"""A window with the widest frame; over a few rows it takes a third of that."""

BEGINS_NS = 250.0
"""How an unlisted key begins: its text is fetched."""

JOINED_NS = 200.0

SUM_NS = 30.0
CODE_NS = 60.0
ENTRY_MS = 0.3
ENTRY_NS = 100.0
"""Of a matrix of products: per row and sum of numbers, per row and variable of codes, per entry, and per entry and group of
codes."""


def matrix_row_ns(matrix: Matrix) -> float:
    """What one row adds beyond being read and weighed."""
    numbers = [v for v in matrix.variables if v.is_number]
    sums = 1 + len(numbers) + len(numbers) * (len(numbers) + 1) // 2
    return SUM_NS * sums + CODE_NS * (len(matrix.variables) - len(numbers))


def matrix_ms(matrix: Matrix, cells: int, rows: int) -> float:
    """Its entries, however few rows there are."""
    return matrix.count * (ENTRY_MS + ENTRY_NS * min(rows, cells * matrix.groups) / 1e6)


TEXT_NS = 300.0
MARKED_NS = 900.0
KEY_MS = 0.05
"""Of an unlisted key: per row grouped by text, per row whose person is told apart by it, per value that may be there (it is
fetched, and noise is drawn for it)."""


def weight(term: Term) -> int:
    """Its parts, as far as a row feels them: a long list of codes is looked up, not compared one by one."""
    lists = (len(part.args) - 1 for part in term.walk() if part.op is Op.ONE_OF)
    return term.size - sum((n - FEW_PARTS) * 15 // 16 for n in lists if n > FEW_PARTS)


def parts_of_keys(plan: Plan, style: Style) -> int:
    """Parts of the keys, as far as they are computed row by row. Where rows are first grouped by the columns as they rest, a
    key is computed once for each group: beyond a few parts it costs nothing that is seen (a public list has hundreds)."""
    rest = grouped(plan, None, ()).at if style in (Style.ROWS, Style.FLAGGED) else {}
    found = 0
    for key in plan.keys:
        by_group = all(part.ref in rest for part in key.term.walk() if part.ref)
        parts = weight(key.term) - 1
        found += min(parts, FEW_PARTS) if by_group else parts
    return found


def begins_ns(plan: Plan) -> float:
    """What one row adds where it is asked how its unlisted keys begin."""
    terms = [plan.where, *(k.term for k in plan.keys), *(t for a in plan.aggregates for t in a.terms)]
    return BEGINS_NS * sum(part.op is Op.BEGINS for term in terms if term for part in term.walk())


def unlisted_row_ns(plan: Plan, style: Style) -> float:
    """What one row adds where values of an unlisted key are found, or grouped by."""
    if plan.unlisted is None:
        return 0.0
    apart = style is Style.DISTINCT or (style is Style.KEYS and (plan.where is not None or len(plan.sources) > 1))
    return TEXT_NS + MARKED_NS * apart


def unlisted_ms(plan: Plan) -> float:
    """Its values, however few rows there are."""
    return KEY_MS * plan.unlisted.unlisted.in_all if plan.unlisted and plan.unlisted.unlisted else 0.0


def branches(source: Source) -> int:
    """How many tables of the public size class a source reads one after another."""
    if source.made is None:
        return 1
    if isinstance(source.made, PerPerson):
        return branches(source.made.sources[0])
    return sum(branches(b.sources[0]) for b in source.made.branches)


def fan_out(plan: Plan) -> int | None:
    """How many rows of the join one row of the public size class may make: what a side differs in, for all sides but the
    one that differs most. None when nothing bounds it."""
    fans: list[float] = []
    for at in several_of(plan.sources):
        counts = [values_of(c) for c in used_columns(plan, at)]
        fans.append(math.prod(c for c in counts if c is not None) if None not in counts else math.inf)
    fan = math.prod(sorted(fans)[:-1])
    return None if fan == math.inf else int(fan)


def within_ns(sources: tuple[Source, ...]) -> float:
    """What is made within one person for these sources, for each row of the public size class."""
    total = 0.0
    for source in sources:
        if source.made is None:
            continue
        if isinstance(source.made, PerPerson):
            levels = [source.made.sources]
            row = STORED_NS if counts_rows(source.made) else PERSON_NS
            row += DISTINCT_NS * sum(p.verb is Verb.DISTINCT for p in source.made.parts)
        else:
            levels = [b.sources for b in source.made.branches]
            row = ROW_NS + WINDOW_NS * source.made.windows
        row += PART_NS * source.made.size
        for inner in levels:
            total += row * branches(inner[0]) + JOINED_NS * sum(not s.idle for s in inner[1:]) + within_ns(inner)
    return total
