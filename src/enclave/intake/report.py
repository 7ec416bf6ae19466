"""What was found in the raw tables, and where?

One shape for every step of intake that looks at rows: a `Section` per question, in it plain `Line`s and counted `Check`s.
A check says how many of how many failed and the numbers of the first rows at fault: never what stands in them. Sentences
are codes of the word catalogue (`report.toml`) with their facts, so that a report is read in either language.

Exact figures: a report is for steward and regulator alone, is kept with the extract (0600) and enters no private answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from domicile.wire.words import say
from enclave.errors import Refused

FORMAT = 1
SHOWN_ROWS = 10
"""How many rows at fault are named."""

Facts = Mapping[str, str | int]


class Category(StrEnum):
    """What kind of statement a check makes. The first three make up a table's score (Kahn's categories)."""

    CONFORMANCE = "conformance"  # of its type, form, code system
    COMPLETENESS = "completeness"  # there at all
    PLAUSIBILITY = "plausibility"  # possible, and at peace with the other columns
    LEFT_OUT = "left_out"  # rows that a stated rule leaves out of the extract
    IDENTITY = "identity"  # who is the same person
    IDENTIFIER = "identifier"  # what may name somebody
    RISK = "risk"  # what may still single somebody out
    THRESHOLD = "threshold"  # more of it than the policy allows


SCORED = frozenset({Category.CONFORMANCE, Category.COMPLETENESS, Category.PLAUSIBILITY})


@dataclass(frozen=True)
class Line:
    """A sentence: a code of `report.toml` and its facts."""

    code: str
    facts: Facts = field(default_factory=dict)

    def words(self, lang: str) -> str:
        return say(f"report.{self.code}", lang, **self.facts)


@dataclass(frozen=True)
class Check(Line):
    """One thing that was checked: `failed` of `of` (rows, or whatever the sentence counts)."""

    category: Category = Category.CONFORMANCE
    table: str = ""
    column: str = ""
    of: int = 0
    failed: int = 0
    rows: tuple[int, ...] = ()
    """Numbers of the first rows at fault, from 1 (a CSV file: of lines, the header being line 1)."""
    stops: bool = False
    """True when the policy lets no extract be made of this."""


@dataclass(frozen=True)
class Bars(Line):
    """A picture: a bar for each (label, count), the sentence above it."""

    bars: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Section:
    """What one step of intake found; its title is `report.section_NAME`."""

    name: str
    lines: tuple[Line, ...] = ()
    checks: tuple[Check, ...] = ()
    pictures: tuple[Bars, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything found in one intake."""

    dataset: str
    policy: str
    read: Mapping[str, int]
    """Table → rows read."""
    sections: tuple[Section, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(check for section in self.sections for check in section.checks)

    @property
    def stops(self) -> tuple[Check, ...]:
        """What the policy lets no extract be made of; () for an intake that may go on."""
        return tuple(check for check in self.checks if check.stops)

    def section(self, name: str) -> Section | None:
        return next((s for s in self.sections if s.name == name), None)

    def with_sections(self, sections: Iterable[Section]) -> Report:
        """The same report with further sections."""
        return Report(self.dataset, self.policy, self.read, (*self.sections, *sections))

    def score(self, table: str) -> int | None:
        """See `score`."""
        return score(check for check in self.checks if check.table == table)


class Stopped(Refused):
    """The policy lets no extract be made of what was found. The report says everything; these words its first reason."""

    def __init__(self, report: Report) -> None:
        first = report.stops[0]
        self.report = report
        place = f"{first.table}.{first.column}".rstrip(".") + (f" row {first.rows[0]}" if first.rows else "")
        super().__init__("intake.stopped", place=place, count=len(report.stops), check=first.code)

    def words(self, lang: str = "en") -> str:
        first = self.report.stops[0]
        return say(self.code, lang, count=self.facts["count"], first=first.words(lang), dataset=self.report.dataset)


def score(checks: Iterable[Check]) -> int | None:
    """Of every (row, scored check), how many hold: in tenths of a per cent, rounded down; None when nothing was checked."""
    of = failed = 0
    for check in checks:
        if check.category in SCORED:
            of, failed = of + check.of, failed + check.failed
    return 1000 * (of - failed) // of if of else None


def to_json(report: Report) -> bytes:
    """As it is kept: one spelling for one content."""
    tree = {"format": FORMAT, **asdict(report), "scores": {table: report.score(table) for table in report.read}}
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def _check(tree: dict[str, Any]) -> Check:
    return Check(**tree | {"category": Category(tree["category"]), "rows": tuple(tree["rows"])})


def _section(tree: dict[str, Any]) -> Section:
    lines, checks = (Line(**line) for line in tree["lines"]), (_check(check) for check in tree["checks"])
    pictures = (
        Bars(p["code"], p["facts"], tuple((label, n) for label, n in p["bars"])) for p in tree.get("pictures", ())
    )
    return Section(tree["name"], tuple(lines), tuple(checks), tuple(pictures))


def from_json(text: bytes) -> Report:
    """The report `to_json` wrote; ValueError, KeyError or TypeError for anything else."""
    tree = json.loads(text)
    return Report(tree["dataset"], tree["policy"], tree["read"], tuple(map(_section, tree["sections"])))
