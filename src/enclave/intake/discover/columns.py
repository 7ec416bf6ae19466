"""What do the columns of a raw table hold?

One scan finds the distinct values of every column whose values may pass into the extract, all rows of them, and of the
others among a sample of persons; each value is then held against the shapes of `shapes`. What the profiler sees it tells
the steward, or stops the intake by (`verdicts`): it changes nothing that is stored, so the extract stays a function of
each person's own rows (soundness U6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from enclave.intake import raw
from enclave.intake.discover.passing import GONE, reach_of
from enclave.intake.discover.shapes import looks
from enclave.intake.field import RawField
from enclave.intake.kinds import Kind
from enclave.intake.resource import Resource

_SAMPLED = 64
"""Of a column that is not kept, the values of one person in so many are looked at."""
_LEAST = 1_000_000
"""A number below has too few digits to be an identifier."""
_SHARES = {
    Kind.RESIDENT_ID: 0.05,
    Kind.USCC: 0.05,
    Kind.EMAIL: 0.05,
    Kind.PLATE: 0.2,
    Kind.PHONE: 0.3,
    Kind.BANK_CARD: 0.5,
}
_SHARE, _ENOUGH = 0.6, 20
"""A column is of a kind when this share of its distinct values looks so: of those that a checksum or a form of their own
tells, as listed; of the others more, and at least so many values. By chance one in 14 numbers of eleven digits looks like
a mobile number, one in ten of sixteen passes Luhn."""


@dataclass(frozen=True)
class Seen:
    """The distinct values of a column, counted by what they look like."""

    column: str
    values: int = 0
    looks: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def kind(self) -> Kind | None:
        """What the column is, by its values; None when nothing stands out. Record numbers look like any number."""
        for kind, count in self.looks.items():
            enough = 1 if kind in _SHARES else _ENOUGH
            if kind is not Kind.MRN and count >= max(enough, self.values * _SHARES.get(kind, _SHARE)):
                return kind
        return None

    @property
    def certain(self) -> tuple[Kind, int] | None:
        """A kind of which at least one value is, by checksum or a form of its own, and how many are."""
        return next(((kind, self.looks[kind]) for kind in _SHARES if self.looks.get(kind)), None)


def passes(field_: RawField) -> bool:
    """Whether values of the column, or parts of them, pass into the extract."""
    return any(output.treatment not in GONE for output in field_.outputs)


def _value(table: Resource, asked: RawField) -> str | None:
    """SQL of what is looked at: the value as text, of numbers those that many digits let through; None: nothing."""
    column = f'r."{asked.name}"'
    if asked.type in ("date", "datetime"):
        return None  # a type of its own, and no direct identifier
    if asked.type == "string" or not passes(asked):
        text = f"CAST({column} AS VARCHAR)"
        return text if passes(asked) else f'CASE WHEN hash(r."{table.unit}") % {_SAMPLED} = 0 THEN {text} END'
    reach = max((reach_of(output) for output in asked.outputs), default=0)
    if reach < _LEAST:
        return None  # held within bounds that no identifier fits
    whole = f"{column} BETWEEN {_LEAST} AND {reach} AND {column} = trunc({column})"
    return f"CASE WHEN {whole} THEN CAST(CAST({column} AS HUGEINT) AS VARCHAR) END"


def survey(con: duckdb.DuckDBPyConnection, file: raw.Raw) -> list[Seen]:
    """Look at every column of the table that could hold identifiers. One scan of it."""
    asked = {f.name: value for f in file.table.fields if (value := _value(file.table, f)) is not None}
    names = [f"c{n}" for n in range(len(asked))]
    if not names:
        return []
    values = ", ".join(f"{value} AS {name}" for name, value in zip(names, asked.values(), strict=True))
    sets = ", ".join(f"({name})" for name in names)
    which = "CASE " + " ".join(f"WHEN grouping({name}) = 0 THEN {n}" for n, name in enumerate(names)) + " END"
    with file.reading():
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE seen_ AS SELECT {which} AS which, coalesce({', '.join(names)}) AS v "
            f"FROM (SELECT {values} FROM {file.view} r) GROUP BY GROUPING SETS ({sets})"
        )
    kinds = looks()
    counts = ", ".join(f"count(*) FILTER (WHERE {sql})" for sql in kinds.values())
    rows = con.execute(f"SELECT which, count(*), {counts} FROM seen_ WHERE v IS NOT NULL GROUP BY which").fetchall()
    con.execute("DROP TABLE seen_")
    found = {int(row[0]): row[1:] for row in rows}
    return [
        Seen(column, int(found[n][0]), dict(zip(kinds, map(int, found[n][1:]), strict=True)))
        for n, column in enumerate(asked)
        if n in found
    ]
