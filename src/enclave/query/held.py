"""Does what a question holds at once surely fit the engine's memory?

Nothing spills to a disk: an engine that runs out of memory fails a question that was charged for, and whether it does would
hang on the rows. So, before anything is charged, by public sizes alone: as many persons as may be there, as many rows, each
at the width that was measured (docs/reference/scale.md). What streams through (scans, groups by listed keys) holds nothing.
"""

from __future__ import annotations

from enclave.errors import Refused
from enclave.query.effort import branches, fan_out
from enclave.query.emit import EXACT, families
from enclave.query.groups import by_keys, values_of
from enclave.query.plan import PerPerson, Plan, Source, Verb
from enclave.query.sources import counts_rows
from enclave.query.sums import Sums
from enclave.query.tally import Style, Tally

MOST_ROWS = 12_000_000
"""Rows whose cells are held at once with sums of their own, each person's own."""

MOST_BYTES = 2_000_000_000
"""Three quarters of the engine's 2.5 GiB: what its tables of groups and joins take is counted here, and nothing else
(buffers, partial tables of each thread)."""

GROUP_BYTES = 16
PART_BYTES = 16
KEY_BYTES = 8
SET_BYTES = 40
"""Of one group: its key and hash, each number computed for it, each further key; of one row, where its values are told apart
within the group."""

CELL_BYTES, COLUMN_BYTES, SUM_BYTES = 104, 16, 16
"""Of one row told apart with sums of its own (person and cell, where no norm is stored): itself, each key, each sum."""

JOINED_BYTES = 24
VALUE_BYTES = 48
"""Of one row of a joined side; of one value that is told apart as text."""


def check_rows(plan: Plan, rows: int) -> None:
    """Rows that are told apart person by person must surely be few enough, or the question is not begun."""
    if windows_of(plan.sources) and rows * branches(plan.sources[0]) > MOST_ROWS:
        raise Refused("windows.too_many_rows", limit=MOST_ROWS)
    if plan.exact and (joined_rows(plan, rows) or MOST_ROWS + 1) > MOST_ROWS:
        raise Refused("within.too_many_rows", limit=MOST_ROWS)


def checked_bytes(plan: Plan, moved: tuple[Tally, ...], rows: int, persons: int) -> int:
    """What the question may hold at once, at most: levels below, and on top of them what any one statement tells apart.
    Refused where that does not surely fit."""
    held = within_bytes(plan.sources, rows, persons) + told_apart_bytes(plan, moved, rows, persons)
    if held > MOST_BYTES:
        raise Refused("within.too_many_persons", persons=persons)
    return held


def joined_rows(plan: Plan, rows: int) -> int | None:
    """How many rows a question without a stored norm reads at most; None where nothing bounds it."""
    fan = fan_out(plan)
    return None if fan is None else rows * branches(plan.sources[0]) * fan


def told_apart_bytes(plan: Plan, moved: tuple[Tally, ...], rows: int, persons: int) -> int:
    """The most that any one statement holds so: persons by cell, by value of an unlisted key, or with sums of their own; or
    values by cell."""
    most, read = 0, rows * branches(plan.sources[0])
    for members in families(moved).values():
        tallies = [moved[at] for at in members]
        tally, key = tallies[0], KEY_BYTES * (1 + len(plan.keys))
        if tally.style is Style.DISTINCT:
            pairs = min(read, persons * plan.cells) if plan.unlisted is None else read
            most = max(most, table_bytes(pairs, key))
        elif tally.style is Style.KEYS and (plan.where is not None or len(plan.sources) > 1):
            most = max(most, table_bytes(min(read, persons * tally.votes), key + VALUE_BYTES))
        elif tally.style is Style.VALUES and tally.term is not None:
            values = tally.term.ref and values_of(tally.term.ref.column)
            most = max(most, min(read, plan.cells * (values or read)) * VALUE_BYTES)
        elif tally.style in EXACT:
            most = max(most, (joined_rows(plan, rows) or 0) * exact_bytes(plan, tallies))
    return most


def exact_bytes(plan: Plan, tallies: list[Tally]) -> int:
    """Of one row of the worst case, another person's each: kept once with its sums, and met again by who is heavy."""
    columns = len(plan.keys) + tallies[0].is_numbered
    matrix = tallies[0].matrix
    if matrix is not None:
        numbers = sum(v.is_number for v in matrix.variables)
        columns += len(matrix.variables) - numbers
        return CELL_BYTES + COLUMN_BYTES * columns + SUM_BYTES * (1 + numbers + numbers * (numbers + 1) // 2)
    sums = Sums(by_keys(plan, tallies[0].bins))
    for tally in tallies:
        sums.total(tally)
    return CELL_BYTES + COLUMN_BYTES * columns + SUM_BYTES * len(sums.named)


def within_bytes(sources: tuple[Source, ...], rows: int, persons: int) -> int:
    """Groups by the person at every level below, and the sides that are joined."""
    held = sum(JOINED_BYTES * (persons if s.table.one_row_per_person else rows) for s in sources[1:] if held_side(s))
    for source in sources:
        if isinstance(source.made, PerPerson):
            if not counts_rows(source.made):
                held += _groups(source.made, rows, persons)
            held += within_bytes(source.made.sources, rows, persons)
        elif source.made is not None:
            held += max(within_bytes(b.sources, rows, persons) for b in source.made.branches)
    return held


def held_side(source: Source) -> bool:
    """A table of persons or rows that is joined; a public table is small."""
    return not source.idle and bool(source.table.unit)


def _groups(made: PerPerson, rows: int, persons: int) -> int:
    rows *= branches(made.sources[0])
    distinct = sum(part.verb is Verb.DISTINCT for part in made.parts)
    further = PART_BYTES * (len(made.parts) + len(made.lent)) + KEY_BYTES * len(made.keys)
    return table_bytes(rows if made.keys else min(rows, persons), further) + SET_BYTES * rows * distinct


def table_bytes(groups: int, further: int) -> int:
    """A hash table of so many groups, each with further bytes: its places, of eight bytes, are a power of two and double
    when two thirds are taken."""
    return groups * (GROUP_BYTES + further) + (8 << (groups * 3 // 2).bit_length())


def windows_of(sources: tuple[Source, ...]) -> int:
    """How many windows are computed at any level below: each holds all its rows at once."""
    found = 0
    for source in sources:
        if isinstance(source.made, PerPerson):
            found += windows_of(source.made.sources)
        elif source.made is not None:
            found += source.made.windows + sum(windows_of(b.sources) for b in source.made.branches)
    return found
