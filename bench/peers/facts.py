"""What does each person bring to each cell of a question? What an oracle needs to try bounds without running a peer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt
from bench.peers.shapes import Shape

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass
class Facts:
    """One line per person and cell with at least one row; cells are numbered in the order of the alphabet of their names."""

    shape: Shape
    database: duckdb.DuckDBPyConnection
    _sums: dict[float, Floats] = field(default_factory=dict)
    _by_kind: dict[str, Floats] = field(default_factory=dict)

    def _read(self, value: str) -> tuple[Floats, ...]:
        words = self.shape.words
        keys = "".join(f", {key}" for key in words.keys)
        ranked = f"dense_rank() OVER (ORDER BY {keys[2:]}) - 1" if keys else "0"
        where = f"WHERE on_day >= {self.shape.days[0]} AND on_day < {self.shape.days[1]}" if self.shape.days else ""
        found = self.database.execute(
            f"SELECT patient_id, {ranked} AS cell, {value} AS value FROM {words.table} {where} "
            f"GROUP BY patient_id{keys} ORDER BY patient_id, cell"
        ).fetchnumpy()
        return tuple(np.asarray(found[name], dtype=np.float64) for name in ("patient_id", "cell", "value"))

    @cached_property
    def _lines(self) -> tuple[Ints, Ints, Floats]:
        person, cell, rows = self._read("COUNT(*)")
        return np.unique(person, return_inverse=True)[1].astype(np.int64), cell.astype(np.int64), rows

    @property
    def person(self) -> Ints:
        return self._lines[0]

    @property
    def cell(self) -> Ints:
        return self._lines[1]

    @property
    def rows(self) -> Floats:
        """How many rows; 1 where persons are counted."""
        return np.ones_like(self._lines[2]) if self.shape.words.measure == "persons" else self._lines[2]

    def sums(self, upper: float) -> Floats:
        """Σ min(x, upper) of the rows."""
        if upper not in self._sums:
            self._sums[upper] = self._read(f"SUM(LEAST({self.shape.words.column}, {upper}))")[2]
        return self._sums[upper]

    @property
    def exact(self) -> Floats:
        """Σ x of the rows; of a person's visits, how many."""
        return self.sums(1e12) if self.shape.words.column else self.rows

    @cached_property
    def groups(self) -> Floats:
        """How many cells the person of each line has."""
        return np.bincount(self.person).astype(np.float64)[self.person]

    @cached_property
    def place(self) -> Floats:
        """Which of the person's cells this is, in the order of the alphabet: 1, 2, …"""
        first = np.flatnonzero(np.diff(self.person, prepend=-1))
        return (np.arange(len(self.person)) - np.repeat(first, np.bincount(self.person)) + 1).astype(np.float64)

    def by_cell(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.cell, values, minlength=int(self.cell.max()) + 1), dtype=np.float64)

    def by_person(self, values: Floats) -> Floats:
        """The sum over the person's lines, on each line."""
        return np.asarray(np.bincount(self.person, values)[self.person])

    @cached_property
    def kinds(self) -> tuple[Ints, Kinds]:
        """Lines that any bound on persons treats alike, and of which kind each line is: hundreds of thousands of lines are
        some ten thousand kinds, and a grid is searched over those."""
        told = [self.cell, self.rows, self.groups, self.place, self.by_person(self.rows)]
        alike, of_line = np.unique(np.stack([np.asarray(x, dtype=np.int64) for x in told]), axis=1, return_inverse=True)
        cell, *others = alike
        rows, groups, place, whole = (np.asarray(x, dtype=np.float64) for x in others)
        return of_line.ravel(), Kinds(cell, rows, groups, place, whole)

    def by_kind(self, named: str, values: Floats) -> Floats:
        """The sum of values of the lines over each kind, kept under a name."""
        if named not in self._by_kind:
            of_line, kinds = self.kinds
            self._by_kind[named] = np.bincount(of_line, values, minlength=len(kinds.cell)).astype(np.float64)
        return self._by_kind[named]

    def kept(self, named: str, values: Floats, share: Floats) -> Floats:
        """By cell, what is left of values of the lines when of each kind such a share is."""
        cells = int(self.cell.max()) + 1
        return np.asarray(np.bincount(self.kinds[1].cell, self.by_kind(named, values) * share, minlength=cells))


@dataclass(frozen=True)
class Kinds:
    """Of each kind of line: its cell, how many rows it has, in how many groups its person is, which of them this is, and how
    many rows the person has in all."""

    cell: Ints
    rows: Floats
    groups: Floats
    place: Floats
    whole: Floats
