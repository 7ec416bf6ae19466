"""From a source to the text of a draft: look at every table, place it, guess each column, write it down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import Engine

from enclave import audit
from enclave.intake import raw
from enclave.intake.draft import omop, written
from enclave.intake.draft.facts import Facts, facts_of
from enclave.intake.draft.guess import ZONED, Guess, guess, identifying, names_staff, others_in
from enclave.intake.draft.known import lists, stored_column
from enclave.intake.draft.persons import Placed, Surveyed, candidates, counted, named, placed, unit_of
from enclave.intake.kinds import Kind
from enclave.intake.opening import opened, quietly
from enclave.intake.settled import open_lines
from enclave.intake.workshop import Room

DRAFTED = audit.declare("draft.made", "raw tables were looked at to draft a descriptor")
DOMAIN = "medical application data"
RESIDENT = "resident_id"
"""The data element of WS/T 363 by our own name for it: its number might be taken for a value of the records."""
_NORMS = ("norm", "distinct", "first", "total", "among", "vote")
"""How names of stored norms begin."""


@dataclass(frozen=True)
class Draft:
    """The text, and how much of it is for the steward to settle."""

    text: str
    tables: tuple[str, ...]
    to_settle: int


def recorded(
    db: Engine,
    actor: str,
    where: raw.Where,
    scratch: Path,
    *,
    name: str,
    demo: bool,
    lang: str,
    registers: Sequence[str] = (),
) -> Draft:
    """`draft` for a member: that they looked at the source is on record before it is opened."""
    with audit.record(db, audit.Event(DRAFTED, actor, f"draft {name}", {"source": raw.source_of(where).shown})):
        pass
    return draft(where, scratch, name=name, demo=demo, lang=lang, today=date.today(), registers=registers)


def name_of(where: raw.Where) -> str:
    """What the dataset is called as long as nobody says otherwise: after its source."""
    last = Path(raw.source_of(where).shown).name.rpartition(".duckdb")
    name = re.sub(r"[^a-z0-9_]+", "_", (last[0] or last[2]).lower()).strip("_")
    return name if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) else "dataset"


def draft(
    where: raw.Where,
    scratch: Path,
    *,
    name: str,
    demo: bool,
    lang: str,
    today: date,
    registers: Sequence[str] = (),
    room: Room | None = None,
) -> Draft:
    """A first descriptor of the source, called `name`. `lang` ("en" or "zh") is that of its comments; `registers` are those
    that the house has already."""
    source = raw.source_of(where)
    with quietly(scratch), opened(source, scratch, (), room) as con:
        found = tuple(_surveyed(con, source))
    tables = tuple(replace(t, name=called) for t, called in zip(found, named(found), strict=True))
    drafted = _omop(tables, today) if omop.is_omop(tables) else _guessed(tables, source.shown, today)
    head = written.Head(
        name=name, domain=DOMAIN, demo=demo, unit={"name": "person", "table": drafted[0].name, "domain": "person"},
        rows=max(t.rows for t in tables), zoned=any(f.kind == ZONED for t in tables for f in t.facts), today=today,
        standard="omop" if omop.is_omop(tables) else "", code_lists=_lists_of(drafted),
        outside=written.outside_of(drafted[0]), apart=_apart(tables, drafted[0], registers), staff=_staff(tables, drafted),
    )  # fmt: skip
    text = written.text(head, drafted, lang)
    return Draft(text, tuple(t.name for t in drafted), len(open_lines(text.encode())))


def _guessed(tables: Sequence[Surveyed], place: str, today: date) -> list[written.Drafted]:
    """The tables of the draft, the person's first."""
    unit, person = unit_of(tables, place)
    order = placed(tables, unit, person)
    own = {f.column: kind.value for f in person.facts if (kind := _own(f)) and f.column != unit}
    return [_drafted(p, order, own, today) for p in order]


def _apart(
    tables: Sequence[Surveyed], person: written.Drafted, registers: Sequence[str]
) -> tuple[str, Sequence[str]] | None:
    """Where other registers are here: by which column of the person table one could see whether persons are shared."""
    facts = next(t.facts for t in tables if t.name == person.name or t.listed.path == person.resource.get("path"))
    resident = next((f.column for f in facts if identifying(f) is Kind.RESIDENT_ID), person.resource["unit"])
    return (resident, sorted(registers)) if registers else None


def _staff(tables: Sequence[Surveyed], drafted: Sequence[written.Drafted]) -> list[dict[str, str]]:
    """The tables of no person that name those who work there, where notes are kept in which such names may stand."""
    outputs = (o for table in drafted for _, guess_ in table.columns for o in guess_.yields)
    if not any(output["treatment"] == "redact" for output in outputs):
        return []
    kept = [table.resource.get("path") for table in drafted]
    left = [t for t in tables if t.listed.path not in kept]
    return [{"path": t.listed.path, "column": f.column} for t in left for f in t.facts if names_staff(f)]


def _identity(table: Surveyed, unit: str) -> tuple[str, str] | None:
    """(column, what becomes of several rows of one person) where a resident number stands beside the unit's own column."""
    for facts in table.facts:
        if facts.column != unit and facts.identifiers.kind is Kind.RESIDENT_ID:
            return facts.column, "refuse" if facts.values == facts.filled else "merge"
    return None


def _omop(tables: Sequence[Surveyed], today: date) -> list[written.Drafted]:
    return omop.drafted(tables, today, lambda facts, n: guess(facts, n, {}, {}, today))


def _surveyed(con: duckdb.DuckDBPyConnection, source: raw.Source) -> Iterator[Surveyed]:
    for n, listed in enumerate(raw.tables_in(con, source), 1):
        file = raw.open_raw(con, source, raw.as_text(listed, f"drafted_{n}"))
        facts = facts_of(con, file)
        rows, keys = counted(con, file, candidates(facts))
        yield Surveyed(listed, file, facts, rows, keys)


def _own(facts: Facts) -> Kind | None:
    """What of the person their notes are searched for."""
    kind = identifying(facts)
    return kind if kind not in (None, Kind.MRN, Kind.DATE) else None


def _drafted(p: Placed, order: Sequence[Placed], own: dict[str, str], today: date) -> written.Drafted:
    table = p.table
    if not p.key:
        why = "no_person_column" if not p.unit else "no_key"
        return written.Drafted(table.name, {"name": table.name, "treatment": "drop"}, (), why)
    keys = {q.key: _domain(q) for q in order if q.key and q.key != p.unit}
    columns = [(f.column, _column(f, n, p, keys, own, today)) for n, f in enumerate(table.facts, 1)]
    columns = _told_apart(columns)
    person = order[0]
    identity = _identity(table, p.unit) if p is person else None
    if identity:
        resident = identity[0]
        columns = [(c, replace(g, element=RESIDENT) if c == resident else g) for c, g in columns]
    stored = {column: guess_.yields[0].get("name", column) for column, guess_ in columns}
    resource: dict[str, Any] = {"name": table.name, "path": table.listed.path, **written.reading(table.listed)}
    resource |= {"unit": p.unit, "key": [stored[p.key]], "row_clip": 1 if p is person else written.CLIP}
    if identity:
        resource |= {"identity": {"key": [identity[0]], "duplicates": identity[1]}}
    if p is not person and (facets := written.facets_of(columns)):
        resource |= {"facets": facets}
    if p is not person:
        joins = [(p.unit, person.table.name), *p.joins]
        key_of = {q.table.name: _key_name(q.key, _domain(q)) for q in order}
        resource["joins"] = [{"column": stored[c], "table": t, "to": key_of[t]} for c, t in joins]
    return written.Drafted(table.name, resource, columns, "the_person" if p is person else "the_key", p is not person)


def _domain(p: Placed) -> str:
    return "person" if p.key == p.unit else p.table.name


def _key_name(column: str, domain: str) -> str:
    """The stored name of a pseudonym: the column's own in small letters, else what it numbers."""
    own = stored_column(column, 0)
    return own if own == column.lower() else f"{domain[:40]}_id"


def _column(facts: Facts, n: int, p: Placed, keys: dict[str, str], own: dict[str, str], today: date) -> Guess:
    domain = "person" if facts.column == p.unit else keys.get(facts.column)
    if domain:
        key = {"name": _key_name(facts.column, domain), "treatment": "pseudonym", "domain": domain}
        return Guess((key,), "")
    return guess(facts, n, own, others_in(p.table.facts), today)


def _told_apart(columns: Sequence[tuple[str, Guess]]) -> list[tuple[str, Guess]]:
    """The same guesses with each stored name once: a later one of the same name gets a number."""
    names = {str(o["name"]) for _, guess_ in columns for o in guess_.yields if "name" in o}
    seen = {f"{norm}_{name}" for norm in _NORMS for name in names}
    found: list[tuple[str, Guess]] = []
    for n, (column, guess_) in enumerate(columns, 1):
        outputs = [o | {"name": f"{o['name'][:40]}_{n}"} if o.get("name") in seen else o for o in guess_.yields]
        seen |= {o["name"] for o in outputs if "name" in o}
        found.append((column, replace(guess_, yields=tuple(outputs))))
    return found


def _lists_of(tables: Sequence[written.Drafted]) -> dict[str, dict[str, Any]]:
    """The public lists that the draft refers to."""
    used = {o["list"] for t in tables for _, guess_ in t.columns for o in guess_.yields if "list" in o}
    public: dict[str, dict[str, Any]] = {name: {"rename": codes} for name, codes in lists().items() if name in used}
    return public | dict(omop.code_lists(tables))
