"""How do chunks become one file per table, the same bytes every time?

CSV: header, UTF-8, comma, texts quoted, empty for missing. Parquet: fixed row groups, zstd. Nothing in a file tells when
or where it was written.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

FORMATS = ("csv", "parquet")
ROW_GROUP = 122_880


class TableFiles:
    """One open writer per table; the first chunk fixes the columns."""

    def __init__(self, out: Path, form: str) -> None:
        self._out, self._form = out, form
        self._writers: dict[str, Any] = {}
        self.paths: dict[str, Path] = {}

    def __enter__(self) -> TableFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, name: str, chunk: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = self._open(name, chunk.schema)
        if self._form == "csv":
            self._writers[name].write_table(chunk)
        else:
            self._writers[name].write_table(chunk, row_group_size=ROW_GROUP)

    def _open(self, name: str, schema: pa.Schema) -> Any:
        path = self.paths[name] = self._out / f"{name}.{self._form}"
        if self._form == "csv":
            return pyarrow.csv.CSVWriter(path, schema)
        return pyarrow.parquet.ParquetWriter(path, schema, compression="zstd")


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
