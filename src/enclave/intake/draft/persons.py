"""Who is the person in each table, which column numbers its rows, and which rows belong together?

Names of columns propose; all rows decide whether a column is unique and nowhere missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from enclave.errors import BadInput
from enclave.intake import raw
from enclave.intake.discover.headers import announced_by
from enclave.intake.draft.facts import Facts
from enclave.intake.draft.guess import identifying
from enclave.intake.draft.known import known_by, numbers_rows, person_rank, stored_table
from enclave.intake.kinds import Kind

_MOST = 6
"""So many columns of a table at most are asked whether they number its rows."""


@dataclass(frozen=True)
class Surveyed:
    """One table of the source: how it reads, and what its columns look like."""

    listed: raw.Listed
    file: raw.Raw
    facts: tuple[Facts, ...]
    rows: int = 0
    keys: tuple[str, ...] = ()
    """Columns that are unique and nowhere missing, the likelier key first."""
    name: str = ""

    def has(self, column: str) -> bool:
        return any(f.column == column for f in self.facts)


@dataclass(frozen=True)
class Placed:
    """A table with its person and its key; without them it cannot be taken."""

    table: Surveyed
    unit: str = ""
    key: str = ""
    joins: tuple[tuple[str, str], ...] = ()
    """(raw column, name of the table whose key it is)."""


def candidates(facts: Sequence[Facts]) -> list[str]:
    """Columns that may number the rows: named like it first, then as they stand; no identifier people carry with them."""
    fit = [f for f in facts if f.unique and not f.prose and not known_by(f.column)]
    fit = [f for f in fit if not announced_by(f.column).staff]
    fit = [f for f in fit if not f.dates and f.kind not in ("DATE", "DECIMAL", "FLOAT", "DOUBLE", "BOOLEAN")]
    fit = [f for f in fit if identifying(f) in (None, Kind.MRN, Kind.RESIDENT_ID)]
    return [f.column for f in sorted(fit, key=lambda f: (not numbers_rows(f.column), f.kind.startswith("T")))][:_MOST]


def counted(con: duckdb.DuckDBPyConnection, file: raw.Raw, columns: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """(rows of the table, those of the columns that are unique and nowhere missing). One scan of it."""
    asked = "".join(f', count("{c}"), count(DISTINCT "{c}")' for c in columns)
    try:
        with file.reading():
            rows, *found = con.execute(f"SELECT count(*){asked} FROM {file.view}").fetchall()[0]
    except duckdb.Error:
        raise raw.unreadable(file) from None
    raw.check_read(con, file)
    pairs = zip(found[::2], found[1::2], strict=True)
    return rows, tuple(c for c, (filled, values) in zip(columns, pairs, strict=True) if filled == values == rows)


def unit_of(tables: Sequence[Surveyed], place: str) -> tuple[str, Surveyed]:
    """The column that names the person, and the table with one row each; BadInput when the source has neither."""
    named = {f.column for t in tables for f in t.facts if person_rank(f.column) is not None}
    ranked = sorted(named, key=lambda c: (-sum(t.has(c) for t in tables), person_rank(c) or 0, c))
    if not ranked:
        raise BadInput("draft.no_person", place=place)
    for column in ranked:
        homes = [t for t in tables if column in t.keys]
        if homes:
            return column, max(homes, key=lambda t: (_traits(t), t.rows))
    raise BadInput("draft.no_person_table", place=place)


def _traits(table: Surveyed) -> int:
    """Of how many lasting traits of a person the table tells."""
    entries = (known_by(f.column) for f in table.facts)
    return sum(known is not None and known.name in ("sex", "birth_date", "region", "marital") for known in entries)


def placed(tables: Sequence[Surveyed], unit: str, person: Surveyed) -> list[Placed]:
    """Every table with its person and key, the person table first and each after those it belongs to."""
    found = [Placed(person, unit, unit)]
    rest = [_keyed(t, unit) for t in tables if t is not person]
    whole = [p for p in rest if p.key]
    while whole:
        free = [p for p in whole if not any(_refers(p, q) for q in whole if q is not p)] or whole[:1]
        for p in free:
            joins = tuple((q.key, q.table.name) for q in found[1:] if _refers(p, q) and _complete(p.table, q.key))
            found.append(Placed(p.table, p.unit, p.key, joins))
        whole = [p for p in whole if p not in free]
    return found + [p for p in rest if not p.key]


def _keyed(table: Surveyed, unit: str) -> Placed:
    if not table.has(unit):
        return Placed(table)
    return Placed(table, unit, next(iter(table.keys), ""))


def _refers(p: Placed, q: Placed) -> bool:
    """Whether a column of `p` has the name of the key of `q`."""
    return q.key not in ("", q.unit, p.key) and p.table.has(q.key)


def _complete(table: Surveyed, column: str) -> bool:
    """Whether every row that was looked at has one: a row without one would be left out by the join."""
    return next(f for f in table.facts if f.column == column).complete


def named(tables: Sequence[Surveyed]) -> list[str]:
    """Stored names of the tables, each once."""
    names: list[str] = []
    for n, table in enumerate(tables, 1):
        name = stored_table(table.listed.path, n)
        names.append(name if name not in names else f"{name[:40]}_{n}")
    return names
