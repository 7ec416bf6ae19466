"""Which rows are of the same person?

Stated on the person table: raw columns that name a person in every system (`key`; the first that is there counts, a resident
number in either form when it is valid, else the unit's own column), and what becomes of several rows of one person. What
is done looks at the rows of that person alone, so neighbouring extracts stay neighbours (soundness U6). What would need
a look at another person's rows is refused: an identifier that by its rows names two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from enclave.errors import BadInput
from enclave.intake.columns import literal
from enclave.intake.discover.headers import announced_by
from enclave.intake.kinds import Kind
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource
from enclave.intake.standards import element, resident
from enclave.intake.standards.checks import PERSON, person_columns

NEWEST, CHOOSER = "newest_", "chooser_"
_SECOND, _DISAGREE = "another row of the same person", "the person's rows disagree on sex or birth date"
_ALIASES = "aliases_"


@dataclass(frozen=True)
class Settled:
    """What was found of persons with several rows, for the steward alone."""

    persons: int = 0
    several: int = 0
    """Persons with more than one row."""
    aliases: int = 0
    """Persons with more than one identifier."""
    disagree: Mapping[str, int] = field(default_factory=dict)
    """Element → persons whose rows disagree on it."""


def person(d: Descriptor, row: str) -> str:
    """SQL of what names the person of a row of the person table."""
    table = d.person_table
    own = f'{row}."{table.unit}"'
    keys = [named(table, name, f'{row}."{name}"') for name in table.identity.key]
    # whoever has no identifier of the unit cannot be met by rows of other tables: such a row names nobody
    return f"CASE WHEN {own} IS NOT NULL THEN coalesce({', '.join([*keys, own])}) END" if keys else own


def named(table: Resource, name: str, column: str) -> str:
    """The value with what it is before it, so that it meets no other kind of identifier; NULL names nobody."""
    stated = table.field(name)
    known = element(stated.element) if stated else None
    value = column
    if known is not None and known.system == "gb11643":
        value = f"CASE WHEN {resident.is_valid(column)} THEN {resident.whole(column)} END"
    return f"{literal(known.key if known else name)} || chr(30) || {value}"


_NUMBERS = (Kind.RESIDENT_ID, Kind.PASSPORT, Kind.PERMIT, Kind.INSURANCE_NO, Kind.MRN)
"""What registers call their persons by, beside names, telephones and the like, which several may share."""


def numbers(table: Resource) -> tuple[str, ...]:
    """The raw columns of the person table that hold the person's own number in some register: the unit's, the keys', and
    those that say so by their name or element."""
    found = dict.fromkeys((table.unit, *table.identity.key))
    for stated in table.fields:
        announced, known = announced_by(stated.name), element(stated.element)
        number = announced.kind in _NUMBERS and not announced.second and not announced.staff
        if stated.type == "string" and (number or (known is not None and known.system == "gb11643")):
            found[stated.name] = None
    return tuple(found)


def reasons(table: Resource) -> Iterator[str]:
    """Why rows of the person table are left out by what is stated here, in order."""
    if table.identity.duplicates == "merge":
        yield _SECOND
    if table.identity.conflicts == "leave_out":
        yield _DISAGREE


def hidden(table: Resource) -> Iterator[str]:
    """Columns of the staged person table that the choice of a row needs."""
    if table.identity.newest:
        yield f'r."{table.identity.newest}" AS {NEWEST}'


def chooser(table: Resource) -> str:
    """SQL of the pseudonym by which a person's choice to be left out is known."""
    return f"r.{CHOOSER}" if table.identity.key else "r.unit_"


def settle(
    con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, staged: str, first: int, by_choice: int
) -> Settled:
    """Mark the staged rows that are left out, with the numbers of their reasons from `first` on.

    Who is left out by choice (reason `by_choice`) under one identifier is left out under all. BadInput where an
    identifier names two persons by its rows.
    """
    unit = f'"{table.unit_column}"'
    if table.identity.key:
        _check_one_each(con, table, staged, unit)
        con.execute(
            f"UPDATE {staged} SET dropped_ = {by_choice} WHERE dropped_ <> {by_choice} AND raw_ IS NOT NULL "
            f"AND {unit} IN (SELECT {unit} FROM {staged} WHERE dropped_ = {by_choice})"
        )
    elements = {key: column for key, column in person_columns(d).items() if key in PERSON}
    counts = "".join(f', count(DISTINCT {c}) > 1 AS "{key}"' for key, c in elements.items())
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE several_ AS SELECT {unit} AS unit_, count(*) AS rows_, "
        f"count(DISTINCT raw_) AS aliases_{counts} FROM {staged} WHERE dropped_ = 0 GROUP BY unit_ HAVING count(*) > 1"
    )
    sums = ", ".join(f'count(*) FILTER ("{key}")' for key in elements)
    found = con.execute(
        f"SELECT (SELECT count(DISTINCT {unit}) FROM {staged} WHERE dropped_ = 0), count(*), "
        f"count(*) FILTER (aliases_ > 1){', ' if sums else ''}{sums} FROM several_"
    ).fetchall()[0]
    marks = dict(zip(reasons(table), range(first, first + 2), strict=False))
    if found[1]:
        _leave_out(con, table, staged, marks, list(elements))
    return Settled(int(found[0]), int(found[1]), int(found[2]), dict(zip(elements, map(int, found[3:]), strict=True)))


def _check_one_each(con: duckdb.DuckDBPyConnection, table: Resource, staged: str, unit: str) -> None:
    two = f"SELECT 1 FROM {staged} WHERE raw_ IS NOT NULL GROUP BY raw_ HAVING count(DISTINCT {unit}) > 1"
    ((count,),) = con.execute(f"SELECT count(*) FROM ({two})").fetchall()
    if count:
        keys = ", ".join(table.identity.key)
        place = f"{table.name}.{table.unit}"
        raise BadInput("intake.two_persons", place=place, table=table.name, column=table.unit, keys=keys, count=count)


def _leave_out(
    con: duckdb.DuckDBPyConnection, table: Resource, staged: str, marks: Mapping[str, int], elements: list[str]
) -> None:
    unit = f'"{table.unit_column}"'
    if (mark := marks.get(_DISAGREE)) and elements:
        any_of = " OR ".join(f'"{key}"' for key in elements)
        con.execute(
            f"UPDATE {staged} SET dropped_ = {mark} WHERE dropped_ = 0 "
            f"AND {unit} IN (SELECT unit_ FROM several_ WHERE {any_of})"
        )
    if mark := marks.get(_SECOND):
        newest = f"{NEWEST} DESC NULLS LAST, " if table.identity.newest else ""
        kept = ", ".join(f'"{o.name}"' for _, o in table.outputs())
        ranked = (
            f"SELECT rowid AS row_, row_number() OVER (PARTITION BY {unit} ORDER BY {newest}raw_, {kept}) AS at_ "
            f"FROM {staged} WHERE dropped_ = 0 AND {unit} IN (SELECT unit_ FROM several_)"
        )
        con.execute(f"UPDATE {staged} SET dropped_ = {mark} WHERE rowid IN (SELECT row_ FROM ({ranked}) WHERE at_ > 1)")


def with_aliases(con: duckdb.DuckDBPyConnection, table: Resource, staged: str, persons: str, columns: list[str]) -> str:
    """The known persons, under every identifier under which rows of other tables may name them."""
    if table.identity.duplicates != "merge":
        return persons
    con.execute(
        f'CREATE OR REPLACE TEMP TABLE {_ALIASES} AS SELECT DISTINCT raw_, "{table.unit_column}" AS unit_ '
        f"FROM {staged} WHERE raw_ IS NOT NULL"
    )
    others = "".join(f", p.{column}" for column in columns)
    stay = f"SELECT a.raw_, p.unit_{others} FROM {_ALIASES} a JOIN ({persons}) p ON p.unit_ = a.unit_"
    return f"{stay} UNION ALL SELECT DISTINCT ON (raw_) * FROM ({persons}) WHERE unit_ IS NULL"


def facts(table: Resource) -> dict[str, Any]:
    """The stated rule, for the report."""
    stated = table.identity
    return {
        "keys": ", ".join((*stated.key, table.unit)),
        "duplicates": stated.duplicates,
        "newest": stated.newest or "–",
        "conflicts": stated.conflicts,
    }
