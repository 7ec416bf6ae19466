"""What leaves for a question that was reserved and charged?

After reservation there is one shape and there are no words: `execute` never raises. Whatever fails in the engine, the
mechanisms run on zeros in the ordinary shape and the incident is told to the caller, who freezes the project. Beside
every number x stand x_se (standard deviation of its noise), x_low and x_high (two-sided 95 % noise interval): they cover
noise only, never what clipping left out. Where a profile was bought, x_clipped says how much that may be at most.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import pyarrow as pa

from enclave.query import after, clipped, mechanisms, moments, quantiles, scaled
from enclave.query.draw import Draw
from enclave.query.emit import Statement
from enclave.query.found import Group, told
from enclave.query.plan import Aggregate, Key, Measure, Plan, Sort
from enclave.query.price import Priced, advisor_of
from enclave.query.reckon import Output
from enclave.query.sscp import LABELS, matrix_in
from enclave.query.tally import centre_of

MISS = Fraction(1, 20)
"""Noise intervals miss this often; a mean's box of two intervals gives each half of it."""

CAP_SHARE = 80
"""Per cent of the reply moment after which the engine is interrupted; the rest is for noise and packing."""

Number = float | None
Column = list[Number]
Columns = tuple[Column, Column, Column, Column]
SUFFIXES = ("", "_se", "_low", "_high")


class Totals(Protocol):
    """What answers with exact totals: an open engine, or one that opens itself when it is asked."""

    def totals(self, statements: tuple[Statement, ...], keys: tuple[Key, ...], cap_ms: int) -> list[list[int]]: ...


@runtime_checkable
class Groups(Protocol):
    """What also says which values of an unlisted key are there."""

    def groups(self, statement: Statement, cap_ms: int) -> list[Group]: ...


@dataclass(frozen=True)
class Executed:
    """The reply's body, and whether our own machinery failed on the way."""

    body: bytes
    incident: bool
    noisy: tuple[list[int], ...] = ()
    """What each mechanism drew, for the broker alone: a sharper question may add to it (`topup`). Empty when ours failed."""


def execute(priced: Priced, engine: Totals) -> Executed:
    """The answer as an Arrow IPC stream. Called once, after a durable reservation; never raises."""
    plan, found, incident = _with_keys(priced, engine)
    cells = plan.cells
    height = cells * (matrix.count if (matrix := matrix_in(plan)) else 1)
    rest = [d for d in priced.draws if d.threshold is None]
    noisy: list[list[int]] = []
    try:
        statements = tuple(s for s in priced.statements if priced.draws[s.tallies[0]].threshold is None)
        totals = engine.totals(statements, plan.keys, _cap_ms(priced)) if statements else []
    except Exception:  # noqa: BLE001 - nothing that happens after the charge may show (design §4, U3)
        totals, incident = [[0] * (cells * d.tally.size) for d in rest], True
    try:
        others = iter([drawn(plan, d, t) for t, d in zip(totals, rest, strict=True)])
        noisy = [next(others) if d.threshold is None else found for d in priced.draws]
        columns = released(plan, priced.draws, noisy, told=is_told(priced))
    except Exception:  # noqa: BLE001 - the same; without noise nothing is released but the shape
        names = number_names(plan, told=is_told(priced))
        columns, incident = {n: [None] * height for n in names}, True
    return Executed(packed(plan, columns), incident, () if incident else tuple(noisy))


def _with_keys(priced: Priced, engine: Totals) -> tuple[Plan, list[int], bool]:
    """The plan over the values of its unlisted key that are told, with their noisy counts; none after a failure, as where
    no value passes."""
    statement = next((s for s in priced.statements if priced.draws[s.tallies[0]].threshold), None)
    if statement is None:
        return priced.plan, [], False
    draw = priced.draws[statement.tallies[0]]
    try:
        if not isinstance(engine, Groups):
            raise TypeError("an engine that knows no groups")
        found = told(priced.plan, engine.groups(statement, _cap_ms(priced)), draw)
    except Exception:  # noqa: BLE001 - nothing that happens after the charge may show (design §4, U3)
        return priced.plan.with_found(()), [], True
    return priced.plan.with_found(found.values), list(found.noisy), False


def _cap_ms(priced: Priced) -> int:
    """What each look into the extract may take: there are two where values must be found first."""
    return priced.reply_ms * CAP_SHARE // (200 if priced.plan.unlisted else 100)


def drawn(plan: Plan, draw: Draw, totals: list[int]) -> list[int]:
    """What the mechanism makes of exact totals: all of them with noise, or of each cell the bin that was chosen."""
    point = plan.aggregates[draw.tally.aggregate].point
    if draw.tally.part == scaled.WHOLE:
        return mechanisms.noisy(scaled.summed(totals), draw.scale)
    if draw.tally.side is None or point is None:
        return (mechanisms.laplaced if draw.nano_epsilon else mechanisms.noisy)(totals, draw.scale)
    chosen = mechanisms.flipped if draw.nano_epsilon else mechanisms.chosen
    return quantiles.choose(draw.tally, point, totals, draw.scale, chosen)


def is_told(priced: Priced) -> bool:
    """Does it stand beside each number what clipping may have taken?"""
    return advisor_of(priced.plan, priced.dataset) is not None


def number_names(plan: Plan, *, told: bool = False) -> list[str]:
    return [o.name + suffix for o in plan.outputs for suffix in (*SUFFIXES, *([clipped.SUFFIX] if told else []))]


def shown(priced: Priced, draws: tuple[Draw, ...], noisy: list[list[int]]) -> dict[str, Column]:
    """The columns of a question, by these draws."""
    return released(priced.plan, draws, noisy, told=is_told(priced))


def released(plan: Plan, draws: tuple[Draw, ...], noisy: list[list[int]], *, told: bool = False) -> dict[str, Column]:
    """Post-processing of noisy integers: the columns of every aggregate, over all cells."""
    columns: dict[str, Column] = {}
    for output in plan.outputs:
        at = output.plain
        made = _aggregated(plan, at, draws, noisy) if at is not None else _reckoned(plan, output, draws, noisy)
        columns |= dict(zip([output.name + s for s in SUFFIXES], made, strict=True))
        if told:
            columns[output.name + clipped.SUFFIX] = clipped.column(plan, output, list(zip(draws, noisy, strict=True)))
    return columns


def _reckoned(plan: Plan, output: Output, draws: tuple[Draw, ...], noisy: list[list[int]]) -> Columns:
    """Arithmetic on counts and sums, each with an interval that misses its share."""
    parts, miss = {}, MISS / max(1, len(output.reads))
    for at in output.reads:
        draw, totals = next((d, v) for d, v in zip(draws, noisy, strict=True) if d.tally.aggregate == at)
        unit = draw.tally.unit
        radius = float(draw.radius(miss) / unit)
        parts[at] = after.Noisy([float(n / unit) for n in totals], float(Fraction(draw.deviation) / unit), radius)
    return after.columns(output.post, parts, plan.cells)


def _aggregated(plan: Plan, at: int, draws: tuple[Draw, ...], noisy: list[list[int]]) -> Columns:
    aggregate = plan.aggregates[at]
    source = quantiles.source_of(plan, at) if aggregate.measure is Measure.QUANTILE else at
    mine = [(d, v) for d, v in zip(draws, noisy, strict=True) if d.tally.aggregate == source]
    if aggregate.measure is Measure.MEAN:
        made = mean_columns(aggregate, *mine[0], *mine[1])
    elif aggregate.measure is Measure.QUANTILE:
        made = quantiles.columns(aggregate, [quantiles.Drawn(d.tally, d.scale, v, plan.pure) for d, v in mine])
    elif aggregate.measure in moments.MOMENTS:
        made = moments.columns(aggregate, [_noised(d, v, MISS / len(mine)) for d, v in mine])
    elif mine[-1][0].tally.part == scaled.WHOLE:
        (groups, drawn_groups), (whole, drawn_whole) = mine
        made = scaled.columns(drawn_groups, groups.scale, drawn_whole, whole.scale, groups.tally.unit, MISS)
    else:
        made = total_columns(*mine[0])
    return made


def _noised(draw: Draw, totals: list[int], miss: Fraction) -> moments.Noised:
    return moments.Noised(draw.tally, totals, draw.deviation, draw.radius(miss))


def total_columns(draw: Draw, noisy: list[int]) -> tuple[Column, Column, Column, Column]:
    unit = int(draw.tally.unit)
    radius = draw.radius(MISS)
    return (
        [n / unit for n in noisy],
        [draw.deviation / unit] * len(noisy),
        [(n - radius) / unit for n in noisy],
        [(n + radius) / unit for n in noisy],
    )


def mean_columns(
    aggregate: Aggregate, total: Draw, sums: list[int], count: Draw, counts: list[int]
) -> tuple[Column, Column, Column, Column]:
    """mid + S / N clamped to the public bounds; where N ≤ 0 there is no mean, and the interval is the bounds."""
    term = aggregate.term
    if term is None:
        raise ValueError("a mean has a term")
    lower, upper, centre, unit = term.type.lower or 0, term.type.upper or 0, centre_of(term), term.type.scale
    sum_radius, count_radius = total.radius(MISS / 2), count.radius(MISS / 2)

    def shown(stored: float) -> float:
        return min(max(stored, lower), upper) / unit

    means, errors, lows, highs = Column(), Column(), Column(), Column()
    for s, n in zip(sums, counts, strict=True):
        means.append(shown(centre + s / n) if n > 0 else None)
        errors.append(math.hypot(total.deviation, count.deviation * (s / n)) / n / unit if n > 0 else None)
        fewest, most = n - count_radius, n + count_radius
        if fewest > 0:
            least, greatest = s - sum_radius, s + sum_radius
            lows.append(shown(centre + least / (fewest if least < 0 else most)))
            highs.append(shown(centre + greatest / (fewest if greatest > 0 else most)))
        else:
            lows.append(lower / unit)
            highs.append(upper / unit)
    return means, errors, lows, highs


# --- shape ----------------------------------------------------------------------------------------------------------


def packed(plan: Plan, columns: dict[str, Column]) -> bytes:
    """The Arrow IPC stream: public columns, then numbers, rows in the order of the public keys or as asked."""
    rows: list[tuple[int | str | bool | float | None, ...]] = list(itertools.product(*(k.domain for k in plan.keys)))
    shown: list[tuple[str, pa.DataType]] = [(k.name, key_type(k)) for k in plan.keys]
    matrix = matrix_in(plan)
    if matrix is not None:
        rows = [(*row, *left, *right) for row in rows for left, right in matrix.labels()]
        shown += zip(LABELS, 2 * LABEL_TYPES, strict=True)
    order = ordered(plan, rows, columns)
    fields = [pa.field(name, kind) for name, kind in shown] + [pa.field(n, pa.float64()) for n in columns]
    arrays = [pa.array([rows[i][at] for i in order], kind) for at, (_, kind) in enumerate(shown)]
    arrays += [pa.array([values[i] for i in order], pa.float64()) for values in columns.values()]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


LABEL_TYPES: tuple[pa.DataType, ...] = (pa.string(), pa.string(), pa.float64(), pa.float64())


def key_type(key: Key) -> pa.DataType:
    kinds: dict[Sort, pa.DataType] = {Sort.NUMBER: pa.int64(), Sort.TRUTH: pa.bool_()}
    return kinds.get(key.term.type.sort, pa.string())


def is_kept(plan: Plan, columns: dict[str, Column], at: int) -> bool:
    """HAVING, on what is released anyway."""
    return (
        plan.having is None or after.holds(plan.having, {name: values[at] for name, values in columns.items()}) is True
    )


def ordered(
    plan: Plan, rows: list[tuple[int | str | bool | float | None, ...]], columns: dict[str, Column]
) -> list[int]:
    """ORDER BY and LIMIT on what is released anyway; NULL stands last."""
    order = [i for i in range(len(rows)) if is_kept(plan, columns, i)]
    for by in reversed(plan.order):
        at = next((i for i, k in enumerate(plan.keys) if k.name == by.column), None)
        values = [row[at] for row in rows] if at is not None else columns[by.column]
        known = [i for i in order if values[i] is not None]
        known.sort(key=lambda i: values[i], reverse=by.descending)  # type: ignore[arg-type,return-value]  # one kind, no None
        order = known + [i for i in order if values[i] is None]
    return order[: plan.limit] if plan.limit is not None else order
