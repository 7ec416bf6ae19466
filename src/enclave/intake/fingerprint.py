"""When do two extracts hold the same?

Two builds of an encrypted file differ in every byte, so an extract is named by its content: per table, in stored order,
per column the SHA-256 of its values (little-endian, fixed width; ENUM codes as their number; text as UTF-8, each ended by
the byte 0xFF that no UTF-8 holds; NULL as zero or empty) and of its NULLs (one byte a row), bound together with names and
types. How the engine cuts the rows into batches does not matter.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from enclave.audit import canonical
from enclave.intake.columns import stored_columns
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource

_BATCH = 122_880  # one DuckDB row group


def _values(array: pa.Array[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(values with NULL as zero, NULL flags) of one column of a batch."""
    nulls = np.zeros(len(array), dtype=np.uint8)
    if array.null_count:
        nulls = np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=np.uint8)
    if isinstance(array, pa.StringArray):
        return _ended(array), nulls
    if isinstance(array, pa.DictionaryArray):
        array = array.indices
    elif pa.types.is_date32(array.type):
        array = array.view(pa.int32())
    elif pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    if array.null_count:
        array = pc.fill_null(array, pa.scalar(0, array.type))
    return np.ascontiguousarray(array.to_numpy()), nulls


def _ended(array: pa.StringArray) -> np.ndarray[Any, Any]:
    """The bytes of all texts one after another, each with its end."""
    texts: Any = pc.fill_null(array, pa.scalar("")).cast(pa.binary())
    ended: Any = pc.binary_join_element_wise(texts, pa.scalar(b""), b"\xff")
    offsets = np.frombuffer(ended.buffers()[1], dtype=np.int32)
    first, last = offsets[ended.offset], offsets[ended.offset + len(ended)]
    return np.frombuffer(ended.buffers()[2], dtype=np.uint8)[first:last]


class _Running:
    """The two running hashes of a column."""

    def __init__(self) -> None:
        self.values, self.nulls = hashlib.sha256(), hashlib.sha256()

    def take(self, array: pa.Array[Any]) -> None:
        values, nulls = _values(array)
        self.values.update(values.data)
        self.nulls.update(nulls.data)


def _table(con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, catalog: str) -> dict[str, Any]:
    described = con.execute(f'DESCRIBE {catalog}.main."{table.name}"').fetchall()
    rows, running = 0, [_Running() for _ in described]
    reader = con.execute(f'SELECT * FROM {catalog}.main."{table.name}"').to_arrow_reader(_BATCH)
    with ThreadPoolExecutor(2) as pool:
        for batch in reader:
            rows += batch.num_rows
            list(pool.map(_Running.take, running, batch.columns))
    columns = [
        [str(name), str(kind), r.values.hexdigest(), r.nulls.hexdigest()]
        for (name, kind, *_), r in zip(described, running, strict=True)
    ]
    return {"table": table.name, "rows": rows, "columns": columns}


def content_digest(con: duckdb.DuckDBPyConnection, d: Descriptor, catalog: str) -> str:
    """The digest of what the attached extract holds."""
    tables = [_table(con, d, table, catalog) for table in d.tables]
    return hashlib.sha256(canonical({"format": 1, "dataset": d.name, "tables": tables})).hexdigest()


def norm_digest(d: Descriptor) -> str:
    """What the stored norms are bound to: the bounds, code lists, facets and summed columns they were computed with."""
    tables = []
    for table in d.tables:
        columns = [
            [c.name, c.kind, c.lower, c.upper, c.scale, list(c.codes), c.total_clip] for c in stored_columns(d, table)
        ]
        facets = [[f.column, f.clip, f.distinct_clip] for f in table.facets]
        keys = [[k.column, k.per_person, k.in_all] for k in table.keys]
        of_table = {"columns": columns, "facets": facets, "keys": keys, "row_clip": table.row_clip}
        tables.append({"table": table.name, **of_table})
    return hashlib.sha256(canonical({"format": 1, "tables": tables})).hexdigest()
