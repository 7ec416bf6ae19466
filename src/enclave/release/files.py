"""Which files does an output become? Written from the vetted table, never passed on.

CSV is opened in spreadsheets: a cell that a spreadsheet would read as a formula gets an apostrophe in front (CSV
injection), and a byte order mark makes Chinese readable there. Parquet beside it holds the cells as they are.
"""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq

from domicile.rules import Declared

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def _cell(value: object) -> object:
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def csv_bytes(table: pa.Table) -> bytes:
    """The table as CSV (RFC 4180), safe to open in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_cell(name) for name in table.column_names])
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as Parquet, from its values alone."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None), sink, store_schema=False)
    return sink.getvalue().to_pybytes()


def files_of(declared: Declared, ordinal: int, picture: bytes | None) -> dict[str, bytes]:
    """The files of one output, by name."""
    stem = f"{ordinal:02d}-{declared.kind}"
    files: dict[str, bytes] = {}
    if declared.table is not None:
        files[f"{stem}.csv"] = csv_bytes(declared.table)
        files[f"{stem}.parquet"] = parquet_bytes(declared.table)
    if picture is not None:
        files[f"{stem}.png"] = picture
    if declared.kind == "text":
        files[f"{stem}.txt"] = f"{declared.text}\n".encode()
    return files
