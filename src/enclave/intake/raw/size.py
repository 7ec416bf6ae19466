"""About how many rows does a raw table have? For the steward's patience alone: nothing is decided by it."""

from __future__ import annotations

import duckdb

from enclave.intake.columns import literal
from enclave.intake.raw.encoded import BLOCK
from enclave.intake.raw.opened import Raw


def expected_rows(con: duckdb.DuckDBPyConnection, raw: Raw) -> int | None:
    """What the file states (Parquet, DuckDB), what its first block promises (CSV); None of a server, which would count."""
    if raw.form == "duckdb":
        return int(con.execute(f"SELECT count(*) FROM {raw.view}").fetchall()[0][0])
    if raw.path is None:
        return None
    if raw.form == "parquet":
        rows = con.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({literal(str(raw.path))})").fetchall()
        return int(rows[0][0] or 0)
    with raw.path.open("rb") as file:
        block = file.read(BLOCK)
    lines = block.count(b"\n")
    return max(0, raw.path.stat().st_size * lines // len(block) - 1) if block else 0
