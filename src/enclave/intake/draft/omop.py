"""What does the OMOP CDM settle by itself?

A source is an OMOP CDM when its table `person` has the CDM's columns. What its standard columns mean is fixed
(`omop.yaml`), so their treatments bear no mark: person_id is the unit, concept ids are code lists, source values, providers
and moments finer than a day are dropped. CDM 6 has moments where 5 has days: where a day is missing or empty, the moment
beside it is read as a day, and the death that CDM 6 tells of in `person` is kept as a day too. Which concepts and which
bounds a site asks for it must say itself. Columns and tables that are not of the CDM are guessed like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from enclave.intake.draft import written
from enclave.intake.draft.facts import Facts
from enclave.intake.draft.guess import DROP, Guess, day_type, others_in
from enclave.intake.draft.persons import Surveyed

_MARKS_IT = frozenset({"person_id", "gender_concept_id", "year_of_birth"})
CONCEPT_IDS = "[0-9]{1,10}"
CONCEPTS, CONCEPTS_IN_ALL = 8, 20_000
OLDEST = 90

Otherwise = Callable[[Facts, int], Guess]
"""What is guessed of a column that the CDM does not know."""


@cache
def _skeleton() -> dict[str, Any]:
    found = yaml.safe_load((files(__package__) / "omop.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _name(table: Surveyed) -> str:
    return table.listed.path.rpartition(".")[2].casefold()


def is_omop(tables: Sequence[Surveyed]) -> bool:
    """Whether the source is an OMOP CDM."""
    person = next((t for t in tables if _name(t) == "person"), None)
    return person is not None and {f.column.casefold() for f in person.facts} >= _MARKS_IT


def drafted(tables: Sequence[Surveyed], today: date, otherwise: Otherwise) -> list[written.Drafted]:
    """The tables of the draft: the CDM's standard tables first, in its order, then what is left where it is."""
    by_name = {_name(t): t for t in tables}
    standard = [name for name in _skeleton()["tables"] if name in by_name]
    made = [_Table(by_name[name], name, by_name, today, otherwise).drafted() for name in standard]
    left = [name for name in by_name if name not in standard]
    return made + [_left(name) for name in sorted(left)]


def code_lists(tables: Sequence[written.Drafted]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, list) of the lists these tables refer to; a list that a site must look over says `site`."""
    used = {o["list"] for t in tables for _, guess in t.columns for o in guess.yields if "list" in o}
    return ((name, found) for name, found in _skeleton()["code_lists"].items() if name in used)


def _left(name: str) -> written.Drafted:
    why = "" if name in _skeleton()["left"] else "omop_table"
    stored = name if name.isascii() and name.isidentifier() else "table_left"
    return written.Drafted(stored[:48], {"name": stored[:48], "treatment": "drop"}, (), why)


@dataclass(frozen=True)
class _Table:
    """One standard table of the source, about to be written."""

    table: Surveyed
    name: str
    all: Mapping[str, Surveyed]
    today: date
    otherwise: Otherwise

    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = _skeleton()["tables"][self.name]
        return found

    @property
    def raw(self) -> dict[str, str]:
        """CDM column → the column as the source spells it."""
        return {f.column.casefold(): f.column for f in self.table.facts}

    @property
    def _days(self) -> dict[str, str]:
        """CDM column of a day → the CDM column in which the source has it: its own, or the moment's beside it."""
        filled = {f.column.casefold() for f in self.table.facts if f.values}
        days = (name for name, spec in self.spec["fields"].items() if spec == "day")
        return {day: day if day in filled or _moment(day) not in filled else _moment(day) for day in days}

    def drafted(self) -> written.Drafted:
        columns = [(f.column, self._guess(f, n)) for n, f in enumerate(self.table.facts, 1)]
        stored = {o["name"] for _, g in columns for o in g.yields if "name" in o}
        listed, person = self.table.listed, self.name == "person"
        resource: dict[str, Any] = {"name": self.name, "path": listed.path, **written.reading(listed)}
        resource |= {"unit": self.raw["person_id"], "key": [self.spec["key"]]}
        resource["row_clip"] = 1 if person or self.spec["key"] == "person_id" else written.CLIP
        if facets := [name for name in self.spec.get("facets", ()) if name in stored]:
            resource |= {"facets": [written.facet(name) for name in facets]}
        if keys := [o["name"] for _, g in columns for o in g.yields if o["treatment"] == "form"]:
            resource["keys"] = [{"column": k, "per_person": CONCEPTS, "in_all": CONCEPTS_IN_ALL} for k in keys]
        if not person:
            resource["joins"] = list(self._joins())
        compared = [[self._days[day] for day in rule.split(" >= ")] for rule in self.spec.get("rules", ())]
        if rules := [pair for pair in compared if all(c in self.raw for c in pair)]:
            resource["rules"] = [" >= ".join(self.raw[c] for c in pair) for pair in rules]
        return written.Drafted(self.name, resource, columns, "", resource["row_clip"] > 1)

    def _joins(self) -> Iterator[dict[str, str]]:
        """To the person; to the visit only where every row has one, for a row without is left out by the join."""
        yield {"column": "person_id", "table": "person", "to": "person_id"}
        visit = "visit_occurrence_id"
        if visit not in self.raw or self.spec["key"] == visit or "visit_occurrence" not in self.all:
            return
        if next(f for f in self.table.facts if f.column == self.raw[visit]).complete:
            yield {"column": visit, "table": "visit_occurrence", "to": visit}

    def _guess(self, facts: Facts, n: int) -> Guess:
        column = facts.column.casefold()
        day = next((day for day, where in self._days.items() if where == column != day), None)
        if day is not None:
            return _fixed(day, "day", facts, self.today)
        if column in self.spec.get("drops", ()) or self._days.get(column, column) != column:
            return Guess(DROP, "")
        if column not in self.spec["fields"]:
            return self.otherwise(facts, n)
        if not facts.values and not isinstance(self.spec["fields"][column], str):
            return Guess(DROP, "empty")  # a kept column without one value stops the intake
        if self.spec["fields"][column] == "day" and not facts.values:
            return Guess(DROP, "empty")
        if self.spec["fields"][column] == "prose":
            return self._prose(column)
        return _fixed(column, self.spec["fields"][column], facts, self.today)

    def _prose(self, column: str) -> Guess:
        others = others_in(self.table.facts)
        output: dict[str, Any] = {"name": column, "treatment": "redact"}
        return Guess((output | ({"beside": others} if others else {}),), "prose")


def _moment(day: str) -> str:
    """The CDM column of the moment beside a day."""
    return f"{day.removesuffix('_date')}_datetime"


def _fixed(column: str, spec: Any, facts: Facts, today: date) -> Guess:
    """What the CDM says of the column."""
    match spec:
        case "day":
            kind, forms = day_type(facts) or ("date", ())
            bounds = {"lower": date(1990, 1, 1), "upper": date(today.year, 12, 31)}
            return Guess(({"name": column, "treatment": "shift", **bounds},), "", kind, forms)
        case "birth_year":
            bound = {"lower": today.year - OLDEST, "upper": today.year}
            return Guess(({"name": column, "treatment": "clamp", **bound},), "", "integer")
        case str(domain):
            return Guess(({"name": column, "treatment": "pseudonym", "domain": domain},), "")
        case {"concept": str(codes), "as": str(name)}:
            return Guess(tuple(_concept(column, codes, name)), "")
        case {"treatment": "clamp"}:
            return Guess(({"name": column, **spec},), "omop_bounds", "decimal")
        case _:
            return Guess(({"name": column, **spec},), "")


def _concept(column: str, codes: str, name: str) -> Iterator[dict[str, Any]]:
    form = {"name": column, "treatment": "form", "pattern": CONCEPT_IDS, "longest": 10}
    yield form | ({"finer_than": [name]} if name in ("condition", "drug", "item") else {})
    if codes:
        yield {"name": name, "treatment": "keep", "list": codes, "otherwise": "0"}
