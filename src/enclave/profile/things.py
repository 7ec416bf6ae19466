"""Which things are profiled together?

Every stored norm of every table with persons in it, and every variable with public bins. A person adds at most one to
each histogram: to one bin of a norm, spread evenly over their rows in that of a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enclave.catalogue.dataset import Column, Dataset, Table
from enclave.catalogue.profile import Of
from enclave.profile.bins import bins_of, has_bins, norm_edges, variable_edges


@dataclass(frozen=True)
class Thing:
    """One histogram that is bought. `column` is a stored norm, or the name of `variable`."""

    table: Table
    column: str
    of: Of
    edges: tuple[int, ...]
    bins: int
    variable: Column | None = None


def norms_of(table: Table) -> Iterator[str]:
    """The stored norms that differ between persons; who has one row has the same as everybody."""
    if not table.one_row_per_person:
        yield "unit_rows"
        for facet in table.facets:
            yield from (facet.norm, facet.distinct_norm)
    yield from (c.total_norm for c in table.columns if c.total_clip is not None)


def things(dataset: Dataset) -> tuple[Thing, ...]:
    """In the order of the dictionary: of each table its norms, then its variables."""
    return tuple(thing for table in dataset.tables if table.unit for thing in _of_table(table))


def _of_table(table: Table) -> Iterator[Thing]:
    for name in norms_of(table):
        edges = norm_edges(table, name)
        yield Thing(table, name, Of.NORM, edges, len(edges) + 1)
    for column in table.columns:
        if has_bins(column):
            yield Thing(table, column.name, Of.VARIABLE, variable_edges(column), bins_of(column), column)
