"""What did the checks find, and may the intake go on?

A table's score is the share of (row, check) pairs that hold. The signed descriptor says how low it may be (`quality`), how
many rows may name nobody or be left out, and how many may fail a stated check; beyond that no extract is made. That a kept
column has no value at all is always a stop: an export that lost a column looks like this.

The stop is a decision about all rows together. It is the steward's alone: nobody else learns of it, and what is on the
shelf stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from enclave.intake.choices import BY_CHOICE
from enclave.intake.package import Descriptor
from enclave.intake.report import Category, Check, Section, score
from enclave.intake.resource import Resource
from enclave.intake.standards.checks import Compiled

_ENOUGH = 20
"""From so many rows on a column without one value is no accident."""

NO_PERSON = "no identifier of the person"


@dataclass(frozen=True)
class Tally:
    """What one table's scan counted."""

    read: int
    failed: tuple[tuple[Compiled, int, tuple[int, ...]], ...] = ()
    """(check, rows at fault, numbers of the first)."""
    empty: tuple[str, ...] = ()
    """Kept columns without one value."""
    dropped: Mapping[str, int] = field(default_factory=dict)


def section(d: Descriptor, tallies: Mapping[str, Tally]) -> Section:
    """The standards section of the report, stops included."""
    checks = []
    for name, tally in tallies.items():
        table = d.table(name)
        assert table is not None
        found = list(_found(name, tally))
        scored = [check for check in found if check.category is not Category.IDENTITY]
        checks += [*scored, *_stops(d, table, tally, scored)]
    return Section("standards", checks=tuple(checks))


def against_person(name: str, tally: Tally) -> tuple[Check, ...]:
    """The checks of a table's rows against their person: told with who is who, and no part of the score."""
    return tuple(check for check in _found(name, tally) if check.category is Category.IDENTITY)


def _found(name: str, tally: Tally) -> Iterator[Check]:
    for check, failed, rows in tally.failed:
        beyond = check.most is not None and 100 * failed > check.most * tally.read
        yield Check(check.code, check.facts, check.category, name, check.column, tally.read, failed, rows, stops=beyond)


def _stops(d: Descriptor, table: Resource, tally: Tally, found: list[Check]) -> Iterator[Check]:
    quality, read = table.quality or d.quality, tally.read
    for column in tally.empty if read >= _ENOUGH else ():
        yield Check("empty_column", {}, Category.THRESHOLD, table.name, column, read, read, stops=True)
    nobody = tally.dropped.get(NO_PERSON, 0)
    if 100 * nobody > quality.no_person * read:
        facts = {"most": f"{quality.no_person} %"}
        yield Check("person_missing", facts, Category.THRESHOLD, table.name, table.unit, read, nobody, stops=True)
    left = sum(count for reason, count in tally.dropped.items() if reason != BY_CHOICE)  # a choice is no fault
    if 100 * left > quality.left_out * read:
        yield Check("too_many_left_out", {"most": f"{quality.left_out} %"}, Category.THRESHOLD, table.name, "", read, left,
                    stops=True)  # fmt: skip
    reached = score(found)
    if reached is not None and reached < 10 * quality.score:
        facts = {"score": str(reached / 10), "least": str(quality.score)}
        yield Check("below_score", facts, Category.THRESHOLD, table.name, "", stops=True)
