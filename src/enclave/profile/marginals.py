"""Which distribution do the paid numbers of a variable, or of rows a person, stand for?

What is drawn from them needs shares: none below 0, adding up to 1. Noisy numbers are neither, so they are replaced by the
nearest ones that are (least squares: one constant is taken from all, what falls below 0 becomes 0, and the rest adds up to
the persons of the table). Cutting off at 0 alone would give the noise of ten thousand rare codes the weight of persons. What
does not stand clear of its noise gives nothing: the dictionary then stands alone. Post-processing: no row is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from enclave.catalogue.dataset import Dataset, Table
from enclave.catalogue.profile import Histogram, Of
from enclave.profile.bins import stretches
from enclave.profile.shape import is_faint, likely
from enclave.profile.summary import persons_of


@dataclass(frozen=True)
class Marginal:
    """Shares of the words of a list (false and true, for truths), or of stretches of stored values; they add up to 1."""

    shares: tuple[float, ...]
    stretches: tuple[tuple[int, int], ...]
    missing: float
    """The share of persons for whom nothing stands there, beside the others."""


@dataclass(frozen=True)
class RowsEach:
    """How many rows a person has in a table: shares of stretches, that add up to 1, and the share who have none."""

    shares: tuple[float, ...]
    stretches: tuple[tuple[int, int], ...]
    none: float

    @property
    def mean(self) -> float:
        """Rows of a person, those without any counted."""
        middles = ((low + high) / 2 for low, high in self.stretches)
        return (1 - self.none) * sum(s * m for s, m in zip(self.shares, middles, strict=True))

    def any_of(self, share: float) -> float:
        """The share of persons who have at least one of the rows, if each row is one of them by this share."""
        spread = zip(self.shares, self.stretches, strict=True)
        missed = ((s, math.pow(1 - share, (low + high) / 2)) for s, (low, high) in spread)
        return (1 - self.none) * sum(s * (1 - none) for s, none in missed)


@dataclass(frozen=True)
class Marginals:
    """Everything that may be drawn from; nothing where nothing was bought."""

    variables: Mapping[tuple[str, str], Marginal] = field(default_factory=dict)
    rows: Mapping[str, RowsEach] = field(default_factory=dict)

    def of(self, table: str, column: str) -> Marginal | None:
        return self.variables.get((table, column))


def marginals(dataset: Dataset) -> Marginals:
    """What was bought of a dataset, as distributions."""
    profile = dataset.profile
    if profile is None:
        return Marginals()
    every = persons_of(dataset, next((t for t in dataset.tables if t.one_row_per_person), None))
    variables = {(t.name, name): found for t in dataset.tables for name, found in _variables(dataset, t)}
    rows = {t.name: each for t in dataset.tables if (each := _rows_each(dataset, t, every)) is not None}
    return Marginals(variables, rows)


def nearest_shares(told: tuple[float, ...], whole: float) -> tuple[float, ...]:
    """The nearest numbers to `told` that are not below 0 and add up to `whole` (above 0), over `whole`."""
    falling, so_far, taken = sorted(told, reverse=True), 0.0, 0.0
    for n, count in enumerate(falling, start=1):
        so_far += count
        if count - (so_far - whole) / n > 0:
            taken = (so_far - whole) / n
    kept = [max(count - taken, 0.0) for count in told]
    return tuple(count / sum(kept) for count in kept)


def _variables(dataset: Dataset, table: Table) -> Iterator[tuple[str, Marginal]]:
    persons = persons_of(dataset, table)
    for column in table.columns:
        histogram = dataset.profile.of(table.name, column.name) if dataset.profile else None
        if persons is None or histogram is None or histogram.of is not Of.VARIABLE or is_faint(histogram):
            continue
        nothing = min(max(histogram.persons[-1] / persons, 0.0), 1.0) if column.nullable else 0.0
        if nothing < 1:
            shares = nearest_shares(histogram.persons[:-1], persons * (1 - nothing))
            yield column.name, Marginal(shares, stretches(column, histogram.edges), nothing)


def _rows_each(dataset: Dataset, table: Table, every: float | None) -> RowsEach | None:
    histogram = dataset.profile.of(table.name, "unit_rows") if dataset.profile else None
    if histogram is None or is_faint(histogram):
        return None
    persons = likely(histogram)
    whole, edges = sum(persons), histogram.edges
    none = min(max(1 - whole / every, 0.0), 1.0) if every else 0.0
    return RowsEach(tuple(p / whole for p in persons), _counts(histogram), none) if edges and whole else None


def _counts(histogram: Histogram) -> tuple[tuple[int, int], ...]:
    """The first and the last number of rows of each bin; beyond the last edge, that edge."""
    edges = histogram.edges
    return (*zip((1, *(edge + 1 for edge in edges[:-1])), edges, strict=True), (edges[-1], edges[-1]))
