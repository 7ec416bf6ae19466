"""Are these bytes a plain table, and nothing more?

An Arrow IPC stream from a jail is hostile: compressed buffers (a few kilobytes that unfold to gigabytes), dictionaries,
extension and nested types, metadata that carries what no cell shows, offsets that point outside. Order of the checks:
size, framing of each message before it is read, schema, rows, `validate(full=True)`, size in memory. What is returned is
a new table with five column types, no metadata, and nothing under its nulls or in its NaNs.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import pyarrow as pa

from domicile.rules.findings import Malformed, fail
from domicile.rules.thresholds import Thresholds
from domicile.wire.shapes import Finding

_MAX_BATCHES: Final = 1_000
_RECORD_BATCH: Final = 3  # org.apache.arrow.flatbuf.MessageHeader
_COMPRESSION: Final = 3  # the slot of RecordBatch.compression in its flatbuffers table


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The one type of ours that holds columns of `kind`; None for a kind that may not leave."""
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return pa.int64()
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return pa.float64()
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.string()
    return None


def _named(kind: pa.DataType) -> str:
    """What a refusal calls `kind`: its bare name. What stands behind that (a time zone, names of fields) is the jail's."""
    return str(kind).partition("[")[0].partition("<")[0].partition("(")[0]


def _table_field(data: memoryview, table: int, slot: int) -> int | None:
    """The offset of field `slot` of the flatbuffers table at `table`; None when the field is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, vtable)[0]
    entry = 4 + 2 * slot
    if entry + 2 > size:
        return None
    offset: int = struct.unpack_from("<H", data, vtable + entry)[0]
    return table + offset if offset else None


def _is_compressed(metadata: memoryview) -> bool:
    """True when an IPC message is a record batch with compressed buffers (format/Message.fbs)."""
    message = struct.unpack_from("<I", metadata, 0)[0]
    kind, header = _table_field(metadata, message, 1), _table_field(metadata, message, 2)
    if kind is None or header is None or metadata[kind] != _RECORD_BATCH:
        return False
    batch = header + struct.unpack_from("<I", metadata, header)[0]
    return _table_field(metadata, batch, _COMPRESSION) is not None


def _check_framing(data: bytes) -> None:
    for number, message in enumerate(pa.ipc.MessageReader.open_stream(pa.BufferReader(data))):
        if number > _MAX_BATCHES:
            raise Malformed(fail("not_arrow", "arrow"))
        if message.type not in ("schema", "record batch"):
            raise Malformed(fail("type_not_allowed", "arrow", column="*", type=message.type))
        if _is_compressed(memoryview(message.metadata)):
            raise Malformed(fail("compressed", "arrow"))


def _check_schema(schema: pa.Schema, limits: Thresholds) -> None:
    if len(schema) > limits.max_columns:
        raise Malformed(fail("columns_over", "arrow", count=len(schema), limit=limits.max_columns))
    if not len(schema):
        raise Malformed(fail("empty_table", "arrow"))
    wrong: list[Finding] = []
    for number, field in enumerate(schema, 1):
        if plain_type(field.type) is None:
            wrong.append(fail("type_not_allowed", f"column {number}", column=number, type=_named(field.type)))
    if wrong:
        raise Malformed(*wrong)


def _read(data: bytes, limits: Thresholds) -> pa.Table:
    _check_framing(data)
    with pa.ipc.open_stream(pa.BufferReader(data)) as reader:
        _check_schema(reader.schema, limits)
        batches, rows = [], 0
        for batch in reader:
            rows += batch.num_rows
            if rows > limits.max_rows:
                raise Malformed(fail("rows_over", "arrow", limit=limits.max_rows))
            batch.validate(full=True)
            batches.append(batch)
        return pa.Table.from_batches(batches, reader.schema)


def decode(data: bytes, limits: Thresholds) -> pa.Table:
    """The table in `data`, rebuilt from its values; Malformed when it is none, or over a cap."""
    if len(data) > limits.max_bytes:
        raise Malformed(fail("bytes_over", "arrow", limit=limits.max_bytes))
    try:
        table = _read(data, limits)
        if table.nbytes > limits.max_bytes:
            raise Malformed(fail("bytes_over", "arrow", limit=limits.max_bytes))
        return rebuilt(table)
    except (pa.ArrowException, OSError, struct.error, IndexError, UnicodeError, OverflowError) as broken:
        raise Malformed(fail("not_arrow", "arrow")) from broken


def rebuilt(table: pa.Table) -> pa.Table:
    """`table` in our five types, from its values alone: no metadata, nothing hidden under a null or in a NaN."""
    columns = {}
    for number, field in enumerate(table.schema, 1):
        plain = plain_type(field.type)
        if plain is None:
            place = f"column {number}"
            raise Malformed(fail("type_not_allowed", place, column=number, type=_named(field.type)))
        column: pa.ChunkedArray[Any] = table.column(number - 1).cast(plain)
        columns[number] = pa.array(_one_nan(column.to_pylist()), plain)
    fields = [pa.field(f.name, columns[n].type) for n, f in enumerate(table.schema, 1)]
    return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields))


def _one_nan(cells: list[Any]) -> list[Any]:
    """`cells` with one NaN for all of them: each has 52 bits that no cell shows."""
    return [math.nan if cell != cell else cell for cell in cells]


def encode(table: pa.Table) -> bytes:
    """The uncompressed IPC stream of `table`."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
