"""What do the paid numbers say of each variable?

Post-processing of a bought profile and nothing else: counts by word or bin, the missing share, quantiles, a mean, each
with the 95 % interval of its noise. Each person weighs 1, spread evenly over their rows. Every histogram of a table sums
to the same persons, so their number is told by all of them together, by inverse variance.

Quantiles: F(k) − q·N over the first k of K bins has variance σ²((1 − q)²k + q²(K − k)); the interval reaches from the
first bin in which it may be above 0 to the first in which it must be. Means: Σ mᵢcᵢ / Σ cᵢ over the middles of the bins;
its interval is that of the noise (delta method) and half the width of the bins, added: one is chance, the other is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate

from domicile.wire.known import BinCard, EstimateCard, QuantileCard, SummaryCard
from enclave.catalogue.dataset import Column, Dataset, Kind, Table
from enclave.catalogue.profile import Histogram, Of
from enclave.profile.bins import stretches
from enclave.profile.shape import is_faint

SURELY = 1.959964
"""Standard deviations of a 95 % interval."""

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
EPOCH = date(1970, 1, 1)
Spans = tuple[tuple[int, int], ...]


def summaries(dataset: Dataset) -> tuple[SummaryCard, ...]:
    """One for each variable that was profiled, in the order of the dictionary; () where nothing was bought."""
    return tuple(card for table in dataset.tables for card in _of_table(dataset, table))


def persons_of(dataset: Dataset, table: Table | None) -> float | None:
    """About how many persons have a row in a table; None where nothing paid tells."""
    bought = _all_of(dataset, table) if table else []
    told = _together(bought)[0] if bought else 0.0
    return told if told > 0 else None


def _all_of(dataset: Dataset, table: Table) -> list[Histogram]:
    """Those of its norms too: they have fewer bins and less noise."""
    return [h for h in dataset.profile.histograms if h.table == table.name] if dataset.profile else []


def _of_table(dataset: Dataset, table: Table) -> Iterator[SummaryCard]:
    bought = [(column, found) for column in table.columns if (found := _histogram(dataset, table, column))]
    if bought:
        persons = _together(_all_of(dataset, table))
        for column, histogram in bought:
            yield _summary(table, column, histogram, persons)


def _histogram(dataset: Dataset, table: Table, column: Column) -> Histogram | None:
    found = dataset.profile.of(table.name, column.name) if dataset.profile else None
    return found if found is not None and found.of is Of.VARIABLE else None


def _together(histograms: list[Histogram]) -> tuple[float, float]:
    """The persons of a table and the standard deviation of that number."""
    weights = [1 / (len(h.counts) * h.noise**2) for h in histograms]
    told = sum(w * sum(h.persons) for w, h in zip(weights, histograms, strict=True)) / sum(weights)
    return told, math.sqrt(1 / sum(weights))


def _summary(table: Table, column: Column, histogram: Histogram, persons: tuple[float, float]) -> SummaryCard:
    clear = not is_faint(histogram)
    spans = stretches(column, histogram.edges)
    told = histogram.persons[:-1]
    ordered = clear and column.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.DATE)
    return SummaryCard(
        table=table.name,
        variable=column.name,
        kind=column.kind.value,
        persons=_estimate(*persons),
        missing=_share(histogram.persons[-1], histogram.noise, *persons),
        bins=tuple(
            BinCard(label=label, persons=_estimate(count, histogram.noise))
            for label, count in zip(_labels(column, spans), told, strict=True)
        ),
        quantiles=tuple(_quantiles(column, spans, told, histogram.noise)) if ordered else (),
        mean=_mean(column, spans, told, histogram.noise) if ordered and column.is_number else None,
        clear=clear,
    )


def _estimate(value: float, deviation: float, most: float = math.inf) -> EstimateCard:
    """A figure that cannot lie below 0 or above `most`."""
    around = (value, value - SURELY * deviation, value + SURELY * deviation)
    at, low, high = (min(max(x, 0.0), most) for x in around)
    return EstimateCard(value=at, low=low, high=high)


def _share(part: float, noise: float, whole: float, doubt: float) -> EstimateCard:
    if whole <= SURELY * doubt:
        return EstimateCard(value=0.0, low=0.0, high=1.0)  # nothing is known of a share of nobody
    share = part / whole
    return _estimate(share, math.hypot(noise, min(abs(share), 1.0) * doubt) / whole, 1.0)


def _labels(column: Column, spans: Spans) -> tuple[str, ...]:
    if column.kind is Kind.BOOLEAN:
        return ("false", "true")
    return column.codes or tuple(
        _shown(column, low) if low == high else f"{_shown(column, low)} … {_shown(column, high)}" for low, high in spans
    )


def _shown(column: Column, stored: float) -> str:
    return str(_day(stored)) if column.kind is Kind.DATE else f"{stored / column.scale:.10g}"


def _day(stored: float) -> date:
    return EPOCH + timedelta(days=round(stored))


def _quantiles(column: Column, spans: Spans, told: tuple[float, ...], noise: float) -> Iterator[QuantileCard]:
    below, bins = list(accumulate(told)), len(told)

    def value(stored: float) -> float | str:
        return str(_day(stored)) if column.kind is Kind.DATE else stored / column.scale

    for q in SHARES:
        over = [x - q * below[-1] for x in below]
        doubts = [SURELY * noise * math.sqrt((1 - q) ** 2 * k + q * q * (bins - k)) for k in range(1, bins + 1)]
        first = next(at for at in range(bins) if over[at] + doubts[at] >= 0)
        last = next((at for at in range(bins) if over[at] - doubts[at] >= 0), bins - 1)
        middle = _reached(spans, (-q * below[-1], *over))
        low, high = spans[first][0], spans[last][1]
        yield QuantileCard(share=q, value=value(middle), low=value(low), high=value(high))


def _reached(spans: Spans, over: tuple[float, ...]) -> float:
    """Where F − q·N first is no longer below 0, a bin taken as even; `over` begins before the first bin."""
    at = next((at for at, x in enumerate(over[1:]) if x >= 0), len(spans) - 1)
    before, step = over[at], over[at + 1] - over[at]
    low, high = spans[at]
    return round(low + (high - low) * min(max(-before / step, 0.0), 1.0)) if step > 0 else low


def _mean(column: Column, spans: Spans, told: tuple[float, ...], noise: float) -> EstimateCard | None:
    whole = sum(told)
    if whole <= SURELY * noise * math.sqrt(len(told)):
        return None
    middles = [(low + high) / 2 for low, high in spans]
    mean = sum(m * c for m, c in zip(middles, told, strict=True)) / whole
    chance = SURELY * noise * math.sqrt(sum((m - mean) ** 2 for m in middles)) / whole
    width = sum((high - low) / 2 * max(c, 0.0) for (low, high), c in zip(spans, told, strict=True)) / whole
    lowest, highest = spans[0][0], spans[-1][1]
    at, low, high = (
        min(max(x, lowest), highest) / column.scale for x in (mean, mean - chance - width, mean + chance + width)
    )
    return EstimateCard(value=at, low=low, high=high)
