"""Does what rests beside each person's rows hold, person by person?

The rows of a person rest together, so the finished file is read once in stored order and every person is checked as the
rows pass, with NumPy: row count, totals, norms, first rows, votes. Whole numbers throughout, of 64 bits where that is
enough for every product, Python's own where it is not. (The same questions asked in SQL group the table anew for every
facet: three times as long.)
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enclave.intake.columns import among, stored_columns, summed, vote
from enclave.intake.contributions import NORM_STEP, norm_columns
from enclave.intake.package import Descriptor
from enclave.intake.repeated import repeated_in
from enclave.intake.resource import Resource

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Checked = tuple[Ints, Counter[str]]

_BATCH = 4 * 122_880
_ONE = 65536
_STEPS = NORM_STEP * NORM_STEP
_FLAGS = 2
"""So many flags ride on a row's cell."""
_FEW = 2**30
"""Squares below it, times a weight's square (at most 2^32), are within 64 bits."""


def breaches(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, place: str) -> Counter[str]:
    """Persons of the stored table `place` for whom a promise does not hold, by the name of the check."""
    found, runs = Counter[str](), list[Ints]()
    for units, counted in _two_at_once(partial(_checked, table), _whole_persons(con, _selected(d, table, place))):
        runs.append(units)
        found.update(counted)
    found["rows of a person together"] += repeated_in(runs)
    return found


def _checked(table: Resource, rows: pa.Table) -> Checked:
    """The persons of a batch, and how many of them break each promise."""
    persons = _Persons.of(_ints(rows["unit"]))
    found = Counter[str]({"person totals": _count(_totals(table, rows, persons))})
    for facet in table.facets:
        cells = _Cells.of(rows[f"cell {facet.column}"], persons, rows[f"first_{facet.column}"])
        wrong = cells.any(cells.marked(0) != 1)
        wrong |= _false_norm(persons.one(rows[f"norm_{facet.column}"]), cells.squares, facet.clip)
        wrong |= _false_norm(persons.one(rows[f"distinct_{facet.column}"]), cells.many, facet.distinct_clip)
        found[f"norms of {facet.column}"] += _count(wrong)
    for keys in table.keys:
        flags = rows[among(keys.column)], rows[vote(keys.column)]
        cells = _Cells.of(rows[f"cell {keys.column}"], persons, *flags)
        found[f"keys of {keys.column}"] += _count(_votes(cells, keys.per_person))
    return persons.units, found


def _two_at_once(work: Callable[[pa.Table], Checked], batches: Iterator[pa.Table]) -> Iterator[Checked]:
    """The results in order; two are worked on while the engine reads the next."""
    with ThreadPoolExecutor(2) as pool:
        pending = deque[Future[Checked]]()
        for batch in batches:
            pending.append(pool.submit(work, batch))
            if len(pending) > 2:
                yield pending.popleft().result()
        yield from (done.result() for done in pending)


def _selected(d: Descriptor, table: Resource, place: str) -> str:
    kinds = {column.name: column.kind for column in stored_columns(d, table)}
    wanted = [f'"{table.unit_column}" AS unit', '"first_unit"', *(f'"{name}"' for name, _ in norm_columns(table))]
    wanted += [f'coalesce(abs("{name}"::BIGINT), 0) AS "sum {name}"' for name in summed(table)]
    for name in dict.fromkeys([*(f.column for f in table.facets), *(k.column for k in table.keys)]):
        wanted.append(
            f'enum_code("{name}") AS "cell {name}"' if kinds[name] == "code" else f'"{name}" AS "cell {name}"'
        )
    wanted += [f'"first_{facet.column}"' for facet in table.facets]
    wanted += [f'"{flag}"' for keys in table.keys for flag in (among(keys.column), vote(keys.column))]
    return f"SELECT {', '.join(wanted)} FROM {place}"


def _whole_persons(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[pa.Table]:
    """The rows in stored order, cut between two persons: the last of a batch waits for the next."""
    waiting: pa.Table | None = None
    for batch in con.execute(sql).to_arrow_reader(_BATCH):
        rows = pa.Table.from_batches([batch])
        rows = rows if waiting is None else pa.concat_tables([waiting, rows])
        units = _ints(rows["unit"])
        others = np.flatnonzero(units != units[-1]) if len(units) else units
        cut = int(others[-1]) + 1 if len(others) else 0
        if cut:
            yield rows.slice(0, cut)
        waiting = rows.slice(cut)
    if waiting is not None and waiting.num_rows:
        yield waiting


def _ints(column: pa.ChunkedArray[Any]) -> Ints:
    return column.to_numpy().astype(np.int64, copy=False)


def _count(wrong: Flags) -> int:
    return int(np.count_nonzero(wrong))


@dataclass(frozen=True)
class _Persons:
    """Whose rows are these? `starts` is the first row of each person, `of_row` the number of the person of each row."""

    units: Ints
    starts: Ints
    of_row: Ints
    rows: Ints
    begins: Flags

    @classmethod
    def of(cls, units: Ints) -> _Persons:
        begins = np.concatenate(([True], units[1:] != units[:-1]))
        starts = np.flatnonzero(begins)
        return cls(units[starts], starts, np.cumsum(begins) - 1, np.diff(starts, append=len(units)), begins)

    def one(self, column: pa.ChunkedArray[Any]) -> Ints:
        """The value at each person's first row."""
        return _ints(column)[self.starts]

    def vary(self, values: Ints) -> Flags:
        """Persons between two of whose rows the value changes."""
        changes = np.concatenate(([False], values[1:] != values[:-1])) & ~self.begins
        found = np.zeros(len(self.units), np.bool_)
        found[self.of_row[changes]] = True
        return found

    def sums(self, values: Ints) -> np.ndarray[Any, Any]:
        """Exact sums of values ≥ 0."""
        small = int(values.max(initial=0)) * int(self.rows.max(initial=1)) < 2**53
        return np.asarray(np.add.reduceat(values if small else values.astype(object), self.starts))


def _totals(table: Resource, rows: pa.Table, persons: _Persons) -> Flags:
    """Row counts and totals, that one row is the first, and that no norm differs between two rows of a person."""
    wrong: Flags = persons.one(rows["unit_rows"]) != NORM_STEP * persons.rows
    wrong |= persons.sums(_ints(rows["first_unit"])) != 1
    for name in summed(table):
        total = np.maximum(1, NORM_STEP * persons.sums(_ints(rows[f"sum {name}"])))
        wrong |= np.asarray(persons.one(rows[f"total_{name}"]) != total, np.bool_)
    for name, _ in norm_columns(table):
        wrong |= persons.vary(_ints(rows[name]))
    return wrong


@dataclass(frozen=True)
class _Cells:
    """The distinct (person, value) of a column, NULL being a value, in order of the person.

    Person, value and flags of a row are one number: one sorting brings the rows of a cell together, flags and all."""

    sorted: Ints
    starts: Ints
    rows: Ints
    of_person: Ints
    """The first cell of each person; every person has one."""

    @classmethod
    def of(cls, column: pa.ChunkedArray[Any], persons: _Persons, *flags: pa.ChunkedArray[Any]) -> _Cells:
        codes = _codes(column)
        width = int(codes.max(initial=0)) + 1
        packed = persons.of_row * width + codes << _FLAGS
        for n, flag in enumerate(flags):
            packed |= _ints(flag) << n
        if packed.max(initial=0) < 2**31:
            packed = packed.astype(np.int32)  # sorted in half the time
        packed.sort()
        cells = packed >> _FLAGS
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        of_person = np.flatnonzero(np.diff(cells[starts] // width, prepend=-1))
        return cls(packed, starts, np.diff(starts, append=len(packed)), of_person)

    def _per_person(self, values: Ints) -> Ints:
        return np.asarray(np.add.reduceat(values, self.of_person))

    def any(self, cells: Flags) -> Flags:
        """Persons with such a cell."""
        return self._per_person(cells.astype(np.int64)) > 0

    def count(self, cells: Flags) -> Ints:
        """How many such cells each person has."""
        return self._per_person(cells.astype(np.int64))

    @property
    def squares(self) -> Ints:
        return self._per_person(self.rows * self.rows)

    @property
    def many(self) -> Ints:
        return np.diff(self.of_person, append=len(self.starts))

    def marked(self, flag: int) -> Ints:
        """How many rows of each cell have the flag."""
        return np.asarray(np.add.reduceat(self.sorted >> flag & 1, self.starts))


def _votes(cells: _Cells, per_person: int) -> Flags:
    """Persons counted in another number of values than they may be, or by other rows than one each."""
    held, votes = cells.marked(0), cells.marked(1)
    wrong = cells.any((held != 0) & (held != cells.rows) | (votes != (held > 0)))
    wrong |= cells.count(held > 0) != np.minimum(cells.many, per_person)
    return wrong


def _codes(column: pa.ChunkedArray[Any]) -> Ints:
    """A number from 0 for each distinct value, NULL's the greatest."""
    if not pa.types.is_unsigned_integer(column.type):  # all but the codes of an ENUM
        encoded: Any = pc.dictionary_encode(column.combine_chunks())
        column = pa.chunked_array([encoded.indices])
    null = -1 if column.null_count == len(column) else int(pc.max(column).as_py())
    numbers: Any = column.cast(pa.int64())
    filled: Any = pc.fill_null(numbers, pa.scalar(null + 1))
    return _ints(filled)


def _false_norm(norm: Ints, squares: Ints, clip: int) -> Flags:
    """Where `norm` is not the least integer with norm² ≥ 65536·squares, or its weight w under the clip C lets w²·squares
    exceed (C·65536)²."""
    wrong = np.empty(len(norm), np.bool_)
    few = squares < _FEW
    wrong[few] = _false(norm[few], squares[few], clip)
    wrong[~few] = _false(norm[~few].astype(object), squares[~few].astype(object), clip)
    return wrong


def _false(norm: Any, squares: Any, clip: int) -> Any:
    weight = np.minimum(_ONE, clip * _ONE * NORM_STEP // norm)
    # no weight is above one: few squares stay below a clip this large
    most = min((clip * _ONE) ** 2, _ONE**2 * _FEW) if norm.dtype == np.int64 else (clip * _ONE) ** 2
    exact = (norm * norm >= _STEPS * squares) & ((norm - 1) * (norm - 1) < _STEPS * squares)
    return ~(exact & (weight * weight * squares <= most)).astype(np.bool_)
