"""Whose names, of those who work there, are looked for in every note?

A raw table that tells of no patient, such as OMOP's `provider` (`staff` in the descriptor). It is no person's rows: two
extracts that differ in one person have the same list, so each note still depends on its own person alone (soundness U6).
"""

from __future__ import annotations

import duckdb

from enclave.errors import BadInput
from enclave.intake import prose, raw
from enclave.intake.discover.known import NOBODY, Staff
from enclave.intake.package import Descriptor


def staff_of(con: duckdb.DuckDBPyConnection, d: Descriptor, source: raw.Source) -> Staff:
    """The names in the tables the descriptor states; BadInput for one that is not there."""
    if not any(prose.outputs(table) for table in d.tables):
        return NOBODY
    return Staff(name for n, _ in enumerate(d.staff) for name in _named(con, d, source, n))


def _named(con: duckdb.DuckDBPyConnection, d: Descriptor, source: raw.Source, n: int) -> list[str]:
    stated = d.staff[n]
    listed = raw.table_at(con, source, stated.path)
    if stated.column not in [name for name, _ in listed.columns]:
        raise BadInput("intake.no_staff_column", table=stated.path, column=stated.column)
    file = raw.open_raw(con, source, raw.as_text(listed, f"staff_{n}"))
    column = f'"{stated.column}"'
    try:
        with file.reading():
            rows = con.execute(f"SELECT DISTINCT {column} FROM {file.view} WHERE {column} IS NOT NULL").fetchall()
    except duckdb.Error:
        raise raw.unreadable(file) from None
    raw.check_read(con, file)
    return [str(name) for (name,) in rows]
