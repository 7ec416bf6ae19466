"""Which coarsening would be enough, and costs least?

The steps of the columns (`levels`) make a lattice. What a choice costs is the information it takes, in bits per person
(Shannon: how much less a class tells of whom it is); a coarser choice never costs less. So the lattice is searched from
the finest choice on, always the cheapest next: the first that is enough is the cheapest there is. Where the lattice is too
large for that, the step that helps most for its bits is taken until it is enough.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, pairwise
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from enclave.intake.exposure import QuasiIdentifiers, Risk
from enclave.intake.risk.classes import Classes
from enclave.intake.risk.levels import Level

Codes = npt.NDArray[np.int64]
Sizes = npt.NDArray[np.float64]
Choice = tuple[int, ...]
"""A level for each column."""

_WORK = 30_000_000
"""Rows of the tally times choices that are looked at one by one."""


@dataclass(frozen=True)
class Remedy:
    """Levels, one for each column, that are enough together, and the bits per person that are lost by them."""

    chosen: tuple[Level, ...]
    bits: float


@dataclass(frozen=True)
class Tally:
    """Rows of what differs: the columns at each of their levels, the sensitive columns, all as codes; and persons."""

    columns: tuple[tuple[Codes, ...], ...]
    sensitive: tuple[Codes, ...]
    persons: Codes

    @classmethod
    def of(cls, table: pa.Table, widths: Sequence[int], sensitive: int) -> Tally:
        """From columns in order: every level of every column, the sensitive ones, the number of persons."""
        codes = [_coded(column) for column in table.columns[:-1]]
        ends = np.cumsum([0, *widths])
        levels = tuple(tuple(codes[a:b]) for a, b in pairwise(ends))
        persons = table.columns[-1].cast(pa.int64()).to_numpy()
        return cls(levels, tuple(codes[len(codes) - sensitive :]), persons)


def _coded(column: Any) -> Codes:
    if pa.types.is_null(column.type):
        return np.zeros(len(column), dtype=np.int64)
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    encoded: Any = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _classes(codes: Sequence[Codes]) -> Codes:
    """Rows that agree on all of `codes` have the same number, from 0 without gaps."""
    found = np.zeros(len(codes[0]), dtype=np.int64)
    for column in codes:
        _, found = np.unique(found * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    return found


def entropy(sizes: Sizes) -> float:
    """Bits per person that tell one class from another (Shannon)."""
    shares = sizes[sizes > 0] / max(1.0, float(sizes.sum()))
    return float(-(shares * np.log2(shares)).sum())


def judged(tally: Tally, choice: Choice, asked: QuasiIdentifiers) -> tuple[Classes, float]:
    """What the classes would be under `choice`, and the bits they tell of a person."""
    of = _classes([column[level] for column, level in zip(tally.columns, choice, strict=True)])
    sizes = np.bincount(of, weights=tally.persons).astype(np.float64)
    bad = sizes < asked.k
    diversity, distance = {}, {}
    for name, values in zip(asked.sensitive, tally.sensitive, strict=True):
        least, far = _spread(of, values, tally.persons, sizes)
        bad |= (least < asked.l) | (far > float(asked.t))
        diversity[name], distance[name] = int(least.min()), Decimal(float(far.max())).quantize(Decimal("0.001"))
    k, small = int(sizes.min()), int(sizes[sizes < asked.k].sum())
    unique, fault = int(sizes[sizes == 1].sum()), int(sizes[bad].sum())
    found = Classes(int(sizes.sum()), len(sizes), k, unique, small, diversity, distance, fault)
    return found, entropy(sizes)


def _spread(of: Codes, values: Codes, persons: Codes, sizes: Sizes) -> tuple[Codes, Sizes]:
    """l and t of every class."""
    width = int(values.max()) + 1
    pairs, at = np.unique(of * width + values, return_inverse=True)
    have = np.bincount(at, weights=persons)
    owner, value = pairs // width, pairs % width
    everybody = np.bincount(values, weights=persons) / persons.sum()
    off = np.abs(have / sizes[owner] - everybody[value]) - everybody[value]
    far = np.round((1 + np.bincount(owner, weights=off, minlength=len(sizes))) / 2, 9)
    return np.bincount(owner, minlength=len(sizes)).astype(np.int64), far


def cheapest(
    tally: Tally,
    levels: Sequence[tuple[Level, ...]],
    policy: Risk,
    asked: QuasiIdentifiers,
    holds: Callable[[tuple[Level, ...]], bool] = lambda chosen: True,
) -> Remedy | None:
    """The cheapest choice that is enough, and of which `holds` says so too; None when there is none."""
    if not len(tally.persons):
        return None
    widths = tuple(len(steps) for steps in levels)
    search = _in_order if prod(widths) * len(tally.persons) <= _WORK else _in_steps
    _, whole = judged(tally, (0,) * len(widths), asked)
    for choice, found, bits in search(tally, widths, policy, asked):
        chosen = tuple(steps[at] for steps, at in zip(levels, choice, strict=True))
        if found.suffices(policy, asked) and holds(chosen):
            return Remedy(chosen, max(0.0, whole - bits))
    return None


def _next(choice: Choice, widths: Choice) -> Iterator[Choice]:
    for at, width in enumerate(widths):
        if choice[at] + 1 < width:
            yield (*choice[:at], choice[at] + 1, *choice[at + 1 :])


Judged = tuple[Choice, Classes, float]


def _in_order(tally: Tally, widths: Choice, policy: Risk, asked: QuasiIdentifiers) -> Iterator[Judged]:
    """Every choice, the one that leaves the most bits first."""
    order, start = count(), (0,) * len(widths)
    seen, heap = {start}, [(-_bits, next(order), start, found) for found, _bits in [judged(tally, start, asked)]]
    while heap:
        bits, _, choice, found = heapq.heappop(heap)
        yield choice, found, -bits
        for following in _next(choice, widths):
            if following not in seen:
                seen.add(following)
                made, left = judged(tally, following, asked)
                heapq.heappush(heap, (-left, next(order), following, made))


def _in_steps(tally: Tally, widths: Choice, policy: Risk, asked: QuasiIdentifiers) -> Iterator[Judged]:
    """One step at a time: the one that takes the most persons out of faulty classes for the bits it takes."""
    choice: Choice = (0,) * len(widths)
    found, bits = judged(tally, choice, asked)
    while True:
        yield choice, found, bits
        nearer = [(following, *judged(tally, following, asked)) for following in _next(choice, widths)]
        if not nearer:
            return
        before = (found.at_fault + found.classes, bits)
        choice, found, bits = max(
            nearer, key=lambda j: (before[0] - j[1].at_fault - j[1].classes) / (before[1] - j[2] + 1e-9)
        )
