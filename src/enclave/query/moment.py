"""When does a reply leave?

At a class of moments fixed by the shape of the statements and by public numbers of rows and persons: at least ten times the
worst that was measured at full load (docs/reference/reply-moments.md). Text, dictionary and policy alone: no connection can
be reached from here.
"""

from __future__ import annotations

from enclave.catalogue.dataset import Dataset
from enclave.errors import Refused
from enclave.query.effort import (
    begins_ns,
    branches,
    fan_out,
    matrix_ms,
    matrix_row_ns,
    parts_of_keys,
    unlisted_ms,
    unlisted_row_ns,
    weight,
    within_ns,
)
from enclave.query.emit import Statement
from enclave.query.plan import PerPerson, Plan
from enclave.query.tally import Style, Tally

REPLY_CLASSES_MS = (
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
)  # fmt: skip
MARGIN = 10
"""A class is at least this many times the worst case at full load."""

FIXED_MS = 10.0
"""Planning, fetching, packing of one statement on a loaded machine."""

ROW_NS = {
    Style.ROWS: 80.0,
    Style.FLAGGED: 100.0,
    Style.DISTINCT: 200.0,
    Style.KEYS: 100.0,
    Style.VALUES: 900.0,
    Style.EXACT: 1_500.0,
    Style.EXACT_DISTINCT: 1_500.0,
}
CELLS_NS = 500.0
TERM_NS = 15.0
JOIN_NS = 200.0
MANY_NS = 600.0
BINS_NS = 150.0
CELL_MS = 0.03
"""Worst times per row (more where a person has several distinct cells), per row and part of a term, per row and joined
table (more where it has many rows for a person), per row put in a bin, per cell and tally: measured on a warm extract at
full load, two questions and two busy loops on two cores (docs/reference/reply-moments.md)."""


def size_of(plan: Plan, dataset: Dataset) -> tuple[int, int]:
    """How many rows the largest table that is read may have, and how many persons may have one, by public text."""
    tables = {table for table, _ in plan.variables}
    persons = (dataset.persons_of(table) for table in dataset.tables if table.name in tables)
    return dataset.rows_of(*tables), max(persons, default=dataset.size_class)


def worst_ms(
    plan: Plan, moved: tuple[Tally, ...], statements: tuple[Statement, ...], rows: int, persons: int | None = None
) -> float:
    """The longest the question can take at full load, by its shape and public numbers of rows and persons."""
    total = 0.0
    made_once = isinstance(plan.sources[0].made, PerPerson) and plan.root.one_row_per_person
    outer = rows if persons is None or not made_once else min(rows, persons)
    for statement in statements:
        style = moved[statement.tallies[0]].style
        parts = parts_of_keys(plan, style) + (weight(plan.where) if plan.where else 0)
        terms = [moved[i].term for i in statement.tallies]
        several = style is Style.DISTINCT and moved[statement.tallies[0]].norm.column is not None
        row = ROW_NS[style] + CELLS_NS * several + TERM_NS * (parts + sum(2 * weight(t) for t in terms if t))
        row += TERM_NS * sum(4 * p.other.size for p in (moved[i].product for i in statement.tallies) if p)
        row += TERM_NS * sum(t.size for t in (bins.term for bins in (moved[statement.tallies[0]].bins,) if bins))
        for matrix in (moved[i].matrix for i in statement.tallies):
            if matrix:
                row += matrix_row_ns(matrix) + TERM_NS * sum(4 * v.term.size for v in matrix.variables)
                total += matrix_ms(matrix, plan.cells, rows)
        row += unlisted_row_ns(plan, style) + begins_ns(plan)
        row += BINS_NS * sum(moved[i].bins is not None for i in statement.tallies[:1])
        row += sum(
            JOIN_NS if s.table.one_row_per_person or not s.table.unit else MANY_NS
            for s in plan.sources[1:]
            if not s.idle
        )
        twice = 2 if style is Style.ROWS and moved[statement.tallies[0]].norm.column else 1
        row *= branches(plan.sources[0]) * (fan_out(plan) or 1)
        total += FIXED_MS + (outer * row + rows * twice * within_ns(plan.sources)) / 1e6
        total += unlisted_ms(plan) if style is Style.KEYS else 0.0
    return total + CELL_MS * plan.cells * sum(t.size for t in moved)


def reply_class(
    plan: Plan, moved: tuple[Tally, ...], statements: tuple[Statement, ...], rows: int, persons: int
) -> int:
    needed = MARGIN * worst_ms(plan, moved, statements, rows, persons)
    fitting = next((c for c in REPLY_CLASSES_MS if c >= needed), None)
    if fitting is None:
        raise Refused("query.too_heavy", seconds=REPLY_CLASSES_MS[-1] // 1000)
    return fitting
