"""Profiles for tests: drawn like a bought one, or by brute force from rows."""

from __future__ import annotations

import datetime as dt
import math
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from tests.oracle.extracts import Row, Rows, with_norms

from enclave.catalogue import Histogram, Of, Profile
from enclave.catalogue.dataset import Column, Dataset, Kind, Table
from enclave.catalogue.profile import PERSON
from enclave.profile import Thing, things
from enclave.query import Engine, drawn, portrayed

EPOCH = dt.date(1970, 1, 1)


def profiled(dataset: Dataset, engine: Engine, epsilon: str) -> Dataset:
    """The dataset with a profile drawn from an open extract."""
    portrait = portrayed(dataset, epsilon)
    return replace(dataset, profile=drawn(portrait, engine.totals(portrait.statements, (), 600_000)))


def exact(dataset: Dataset, rows: Rows, scale: int = 1) -> Profile:
    """What a profile without noise would say; the scale it claims is the least there is unless stated."""
    histograms = []
    normed = {
        table.name: with_norms(table, rows[table.name])
        for table in {t.table.name: t.table for t in things(dataset)}.values()
    }
    for thing in things(dataset):
        shares = counted(thing, normed[thing.table.name])
        counts = tuple(round(shares[at] * PERSON) for at in range(thing.bins))
        histograms.append(Histogram(thing.table.name, thing.column, thing.of, thing.edges, counts, scale))
    return Profile("1", 1, tuple(histograms))


def counted(thing: Thing, rows: list[Row]) -> Counter[int]:
    """Persons in each bin, each spread evenly over their rows."""
    each: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        each[row[thing.table.unit]].append(row)
    found: Counter[int] = Counter()
    for mine in each.values():
        for at, many in Counter(bin_of(thing, row) for row in mine).items():
            found[at] += Fraction(many, len(mine))  # type: ignore[assignment]  # exact shares of a person
    return found


def bin_of(thing: Thing, row: Mapping[str, object]) -> int:
    value = row[thing.column]
    if thing.variable is None:
        return _first(thing.edges, Fraction(int(str(value)), 256))
    return _of_variable(thing.variable, thing.edges, value)


def _of_variable(column: Column, edges: tuple[int, ...], value: object) -> int:
    if value is None:
        return len(column.codes or edges or (False, True))
    if column.kind is Kind.CODE:
        return column.codes.index(str(value))
    if column.kind is Kind.BOOLEAN:
        return int(bool(value))
    days = (value - EPOCH).days if isinstance(value, dt.date) else int(str(value))
    return _first(edges, Fraction(days))


def _first(edges: tuple[int, ...], value: Fraction) -> int:
    return bisect_left(edges, value)


def norms(table: Table, rows: Rows, name: str) -> list[Fraction]:
    """The norm of every person."""
    found = {row[table.unit]: Fraction(int(str(row[name])), 256) for row in with_norms(table, rows[table.name])}
    return list(found.values())


def of_nobody(dataset: Dataset, persons: int = 40_000, seed: int = 1, noise: int = 20) -> Profile:
    """A profile of no records at all: numbers out of thin air, uneven, with gaps, clear of the noise it claims."""
    draw = random.Random(seed)
    histograms = []
    for thing in things(dataset):
        weights = [draw.random() ** 3 for _ in range(thing.bins)]
        if thing.of is Of.NORM:
            weights = [math.exp(-(((at - 2) / 2) ** 2)) for at in range(thing.bins)]
        weights[-1] *= thing.of is Of.VARIABLE
        counts = tuple(round(PERSON * persons * w / sum(weights)) for w in weights)
        histograms.append(Histogram(thing.table.name, thing.column, thing.of, thing.edges, counts, noise * PERSON))
    return Profile("0.2", 1, tuple(histograms))


__all__ = ["Of", "bin_of", "counted", "exact", "norms", "of_nobody", "profiled"]
