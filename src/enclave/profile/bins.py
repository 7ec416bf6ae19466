"""Which public bins are persons counted by?

Fixed by the signed text alone. Norms: two edges an octave, from one row (cell, or for totals a 4096th of the policy's
clip) to eight times the policy's clip; nobody has more distinct cells than the code list has words. Numbers and days: one
bin a value where they are few, else four an octave away from zero. Words: one each. More bins cost no more: a person is
in one of them.
"""

from __future__ import annotations

from math import isqrt

from enclave.catalogue.dataset import Column, Facet, Kind, Table

BEYOND = 8
"""The last edge of a norm is at least so many times the policy's clip: persons beyond are counted together."""

FINEST_TOTAL = 12
"""The first edge of a total is the policy's clip over 2 to this power."""

WIDEST = 2**38
MOST_VALUES = 128
MOST_DAYS = 64


def octaves(base: int, least_top: int, steps: int) -> tuple[int, ...]:
    """`base` times whole numbers, `steps` to a doubling (fewer at the start), until one is at least `least_top`."""
    made: list[int] = []
    power = 1
    while True:
        for step in range(steps):
            edge = base * (power * (steps + step) // steps)
            if not made or edge > made[-1]:
                made.append(edge)
            if edge >= least_top:
                return tuple(made)
        power *= 2


def rows_edges(clip: int) -> tuple[int, ...]:
    """Of a number of rows, or the l2 norm of numbers of rows."""
    return octaves(1, BEYOND * clip, 2)


def distinct_edges(facet: Facet, column: Column) -> tuple[int, ...]:
    """Of the root of a number of distinct cells, NULL being one."""
    cells = len(column.codes) + column.nullable if column.codes else 0
    most = isqrt(cells - 1) + 1 if cells else WIDEST
    return octaves(1, min(BEYOND * facet.distinct_clip, most), 2)


def total_edges(total_clip: int) -> tuple[int, ...]:
    """Of Σ|x| over a person's rows, in stored integers."""
    return octaves(max(1, total_clip >> FINEST_TOTAL), min(BEYOND * total_clip, WIDEST), 2)


def norm_edges(table: Table, name: str) -> tuple[int, ...]:
    """The edges of a stored norm of a table."""
    if name == "unit_rows":
        return rows_edges(table.row_clip)
    for facet in table.facets:
        if name == facet.norm:
            return rows_edges(facet.clip)
        column = table.column(facet.column)
        if name == facet.distinct_norm and column is not None:
            return distinct_edges(facet, column)
    clip = next(c.total_clip for c in table.columns if c.total_norm == name)
    return total_edges(clip or 1)


def has_bins(column: Column) -> bool:
    """True for what has a public list or public bounds."""
    if column.kind in (Kind.CODE, Kind.BOOLEAN):
        return column.kind is Kind.BOOLEAN or bool(column.codes)
    return column.kind is not Kind.TEXT and column.lower is not None and column.upper is not None


def variable_edges(column: Column) -> tuple[int, ...]:
    """The edges of a bounded number or date, the last its bound; () for words and truths."""
    if column.kind in (Kind.CODE, Kind.BOOLEAN) or column.lower is None or column.upper is None:
        return ()
    lower, upper = column.lower, column.upper
    if upper - lower < MOST_VALUES and column.kind is not Kind.DATE:
        return tuple(range(lower, upper + 1))
    if column.kind is Kind.DATE:
        width = -(-(upper - lower + 1) // MOST_DAYS)
        return (*range(lower + width - 1, upper, width), upper)
    nearest = min(max(0, lower), upper)
    away = octaves(1, max(upper - nearest, nearest - lower), 4)
    edges = {nearest, upper, *(nearest + x for x in away), *(nearest - x for x in away)}
    return tuple(sorted(e for e in edges if lower <= e <= upper))


def bins_of(column: Column) -> int:
    """How many numbers the histogram of a variable has, NULL's included."""
    if column.kind is Kind.BOOLEAN:
        return 3
    return len(column.codes or variable_edges(column)) + 1


def stretches(column: Column, edges: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The first and the last stored value of each bin of a number or date; () for words and truths."""
    if not edges or column.lower is None:
        return ()
    return tuple(zip((column.lower, *(edge + 1 for edge in edges[:-1])), edges, strict=True))
