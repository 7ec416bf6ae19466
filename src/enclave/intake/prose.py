"""How does free text come into the extract?

A staged table holds it as it stood, under a hidden name that nothing writes. Here it is read note by note with the person's
own identifiers, and what is kept takes the column's name: a table whose text was not gone through cannot be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from enclave.errors import Incident
from enclave.intake import treatments as t
from enclave.intake.discover.known import MOST, Register, Staff
from enclave.intake.kinds import Kind
from enclave.intake.laid import ROW, lay, staged
from enclave.intake.package import Descriptor
from enclave.intake.redact.texts import Instead, Note, marks, remaining, replaced, spans_of, stand_ins
from enclave.intake.report import Category, Check
from enclave.intake.resource import Resource

_BATCH = 2048
_DONE = "redacted_"

Heard = Callable[[int], None]
"""Told how many notes are done."""


def hidden(name: str) -> str:
    """The staged column that holds the text as it stood."""
    return f'"prose {name}"'


def own(name: str) -> str:
    """The column of the persons' table that holds a raw value of theirs."""
    return f'"own {name}"'


def near(name: str) -> str:
    """The staged column that holds a raw value of the same row, somebody else's."""
    return f'"beside {name}"'


def outputs(table: Resource) -> list[t.Redact | t.Surrogate]:
    """The kept columns of free text."""
    return [output for _, output in table.outputs() if isinstance(output, t.PROSE)]


def owned(d: Descriptor) -> tuple[str, ...]:
    """The raw columns of the person table whose values are looked for in the person's own notes."""
    return tuple(dict.fromkeys(name for table in d.tables for output in outputs(table) for name in output.own))


def neighbours(table: Resource) -> tuple[str, ...]:
    """The raw columns of a table whose values are looked for in the notes of their rows."""
    return tuple(dict.fromkeys(name for output in outputs(table) for name in output.beside))


@dataclass
class Found:
    """What going through a column of notes found, for the steward alone."""

    notes: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    left: int = 0
    """Names of the register that still stand there: other people's, that nothing announced."""

    def checks(self, table: str, column: str, known: bool) -> Iterator[Check]:
        for kind in Kind:
            if self.kinds[kind]:
                yield Check(f"found_{kind}", {}, Category.IDENTIFIER, table, column, self.notes, self.kinds[kind])
        if known:
            yield Check("left_names", {}, Category.IDENTIFIER, table, column, self.notes, self.left)


def redact(
    con: duckdb.DuckDBPyConnection, table: Resource, persons: str, key: bytes, staff: Staff, heard: Heard
) -> list[Check]:
    """Go through every column of free text of a staged table; what was found, by kind, for the steward."""
    checks: list[Check] = []
    for output in outputs(table):
        instead = stand_ins(key) if isinstance(output, t.Surrogate) else marks
        try:
            known = _register(con, output, persons)
            found = _go_through(con, table, output, persons, instead, known, staff, heard)
        except duckdb.Error:
            raise
        except Exception as failed:  # noqa: BLE001 - its words may hold a note, and so may its trace
            raise Incident("intake.redaction_failed", kind=type(failed).__name__, table=table.name) from None
        checks += found.checks(table.name, output.name, known is not None)
        rest = f's.* EXCLUDE ({ROW}, {hidden(output.name)}), d.text_ AS "{output.name}"'
        lay(con, table, f"SELECT {rest} FROM {staged(table)} s LEFT JOIN {_DONE} d ON d.row_ = s.{ROW}")
        con.execute(f"DROP TABLE {_DONE}")
    return checks


def _register(con: duckdb.DuckDBPyConnection, output: t.Redact | t.Surrogate, persons: str) -> Register | None:
    """The names of all persons; None when no column holds them, or too many."""
    columns = [own(name) for name, kind in output.own.items() if kind is Kind.NAME]
    if not columns:
        return None
    distinct = " UNION ".join(
        f"SELECT {column} AS name FROM {persons} WHERE {column} IS NOT NULL" for column in columns
    )
    names = con.execute(f"SELECT name FROM ({distinct}) LIMIT {MOST + 1}").fetchall()
    return Register(name for (name,) in names) if len(names) <= MOST else None


def _go_through(
    con: duckdb.DuckDBPyConnection,
    table: Resource,
    output: t.Redact | t.Surrogate,
    persons: str,
    instead: Instead,
    known: Register | None,
    staff: Staff,
    heard: Heard,
) -> Found:
    """Read the notes and keep what is left of each in the table `_DONE`."""
    columns = "".join([f", p.{own(n)}" for n in output.own] + [f", s.{near(n)}" for n in output.beside])
    sql = (
        f"SELECT s.{ROW}, s.{hidden(output.name)}, p.unit_, p.shift_{columns} FROM {staged(table)} s "
        f'JOIN {persons} p ON p.unit_ = s."{table.unit_column}" WHERE s.{hidden(output.name)} IS NOT NULL'
    )
    con.execute(f"CREATE OR REPLACE TABLE {_DONE} (row_ BIGINT, text_ VARCHAR)")
    found, kinds = Found(), (*output.own.values(), *output.beside.values())
    with con.cursor() as beside:
        for batch in con.execute(sql).to_arrow_reader(_BATCH):
            notes = _notes(batch, kinds)
            spans = list(spans_of(notes, staff))
            texts = [replaced(note, of, instead) for note, of in zip(notes, spans, strict=True)]
            found.notes += len(notes)
            found.kinds.update(span.kind for of in spans for span in of)
            if known:
                rest = "\n".join(remaining(note, of) for note, of in zip(notes, spans, strict=True))
                found.left += known.standing(rest)
            _keep(beside, batch.column(0), texts)
            heard(found.notes)
    return found


def _notes(batch: pa.RecordBatch, kinds: tuple[Kind, ...]) -> list[Note]:
    columns: list[list[Any]] = [column.to_pylist() for column in batch.columns]
    _, texts, persons, shifts, *values = columns
    owned_ = list(zip(*values, strict=True)) if values else [()] * batch.num_rows
    return [
        Note(text, person, shift, tuple((kind, value) for kind, value in zip(kinds, mine, strict=True) if value))
        for text, person, shift, mine in zip(texts, persons, shifts, owned_, strict=True)
    ]


def _keep(con: duckdb.DuckDBPyConnection, rows: pa.Array[Any], texts: list[str]) -> None:
    con.register("kept_", pa.table({"row_": rows, "text_": pa.array(texts, pa.string())}))
    con.execute(f"INSERT INTO {_DONE} SELECT row_, text_ FROM kept_")
    con.unregister("kept_")
