"""What does a question of the suite ask, in words every engine can be told?

A `Shape` says which table, keys, measure, column and days; an engine's own script turns it into its own words. A form of
the suite that nobody has described here stops the run: it must not be left out in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from bench.questions import Form
from bench.suite import Cells

from enclave.catalogue.dataset import Dataset

BINS = 13
BIN_WIDTH = 5
EPOCH = date(1970, 1, 1)
DAY = re.compile(r"DATE '(\d{4}-\d\d-\d\d)'")
Key = str | int


@dataclass(frozen=True)
class Words:
    measure: str
    keys: tuple[str, ...] = ()
    column: str | None = None
    table: str = "visits"


DESCRIBED = {
    "count.one_key": Words("count", ("dept",)),
    "count.two_keys": Words("count", ("dept", "payment")),
    "sum.one_key": Words("sum", ("dept",), "fee"),
    "sum.two_keys": Words("sum", ("dept", "payment"), "fee"),
    "mean.one_key": Words("mean", ("dept",), "los_days"),
    "mean.two_keys": Words("mean", ("dept", "payment"), "los_days"),
    "join_visit": Words("count", ("dept",), table="diagnoses"),
    "join_person": Words("count", ("sex", "dept")),
    "distinct_persons": Words("persons", ("dx_category",)),
    "median": Words("median", ("dept",), "los_days"),
    "histogram": Words("count", ("los_bin",)),
    "per_person": Words("per_person"),
    "unlisted_keys": Words("unlisted"),
    "survival": Words("survival"),
    "filter.1_percent": Words("count", ("dept",)),
    "filter.10_percent": Words("count", ("dept",)),
    "filter.100_percent": Words("count", ("dept",)),
}


@dataclass(frozen=True)
class Shape:
    form: Form
    words: Words
    domain: tuple[tuple[Key, ...], ...]
    """Every combination of public keys."""
    days: tuple[int, int] | None
    limits: tuple[float, float] | None = None
    """Between which a mean or a median must lie, by the dictionary."""

    def told(self) -> dict[str, Any]:
        """As an engine reads it: `domain` by columns."""
        keys = self.words.keys
        since, until = self.days or (None, None)
        return {
            "form": self.form.name,
            "table": self.words.table,
            "keys": list(keys),
            "measure": self.words.measure,
            "column": self.words.column,
            "since": since,
            "until": until,
            "domain": {key: [cell[at] for cell in self.domain] for at, key in enumerate(keys)},
            "whole": {key: isinstance(self.domain[0][at], int) for at, key in enumerate(keys)},
        }

    def brought(self, number: float | None) -> float | None:
        """As anybody would read it: what is no number is none, and a mean or a median lies within its public bounds."""
        if number is None or math.isnan(number):
            return None
        return min(max(float(number), self.limits[0]), self.limits[1]) if self.limits else float(number)

    def asked_of(self, told: Cells, truth: Cells) -> Cells:
        """Of our answer the groups that peers are asked for, and such as are there: ours tells the group of NULL as well,
        which no peer has among its public keys."""
        if not self.words.keys:
            return told
        asked = {self.cell([str(key) for key in cell]) for cell in self.domain}
        return {key: numbers for key, numbers in told.items() if key in asked or key in truth}

    def cell(self, keys: Sequence[str]) -> tuple[str, ...]:
        """The name of a cell as the suite writes it."""
        if self.words.keys == ("los_bin",):
            low = BIN_WIDTH * int(float(keys[0]))
            return (f"[{low}, {low + BIN_WIDTH})",)
        return tuple(keys)


def shape_of(form: Form, dataset: Dataset) -> Shape:
    words = DESCRIBED.get(form.name)
    if words is None:
        raise LookupError(f"{form.name} is asked by the suite: say in bench/peers/shapes.py what a peer would be asked")
    days = [(date.fromisoformat(d) - EPOCH).days for d in DAY.findall(form.sql)]
    domain = tuple(product(*(_values(key, dataset) for key in words.keys)))
    return Shape(form, words, domain, (days[0], days[1]) if days else None, _limits(words, dataset))


def _limits(words: Words, dataset: Dataset) -> tuple[float, float] | None:
    if words.measure not in ("mean", "median"):
        return None
    column = next(c for t in dataset.tables if t.name == words.table for c in t.columns if c.name == words.column)
    return (column.lower or 0) / column.scale, (column.upper or 0) / column.scale


def _values(key: str, dataset: Dataset) -> tuple[Key, ...]:
    """The public values of a key, from the dictionary."""
    if key == "los_bin":
        return tuple(range(BINS))
    column = next(c for t in dataset.tables if t.name != "diagnoses" for c in t.columns if c.name == key)
    if column.codes:
        return tuple(column.codes)
    if column.lower is None or column.upper is None:
        raise LookupError(f"{key} has no public values")
    return tuple(range(column.lower, column.upper + 1))
