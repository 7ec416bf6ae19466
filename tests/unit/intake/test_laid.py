"""Rows are left out without being deleted: what a deletion keeps in memory cannot be spilled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.oracle import clinic

from enclave.intake import laid, raw, stage
from enclave.intake.choices import NOBODY, lay
from enclave.intake.opening import opened
from enclave.intake.resource import Resource
from enclave.intake.workshop import Room, workshop

ROWS = 1_000_000
LEFT_OUT = "rowid % 1000 = 7"
MIB = 2**20


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with workshop(tmp_path, (), Room(memory="200MB")) as con:
        yield con


def visits() -> Resource:
    table = clinic.parsed().table("visits")
    assert table is not None
    return table


def held(con: duckdb.DuckDBPyConnection) -> int:
    """Bytes that the engine holds beside blocks of rows."""
    sql = "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory() WHERE tag <> 'IN_MEMORY_TABLE'"
    return int(con.execute(sql).fetchall()[0][0])


def counted(con: duckdb.DuckDBPyConnection, table: Resource) -> tuple[int, int]:
    found = con.execute(f"SELECT count(*), sum(n) FROM {laid.staged(table)}").fetchall()[0]
    return int(found[0]), int(found[1])


def test_rows_that_are_left_out_hold_no_memory(con: duckdb.DuckDBPyConnection) -> None:
    """Control: the same rows deleted hold eight bytes for each row of the table."""
    table = visits()
    laid.lay(con, table, f"SELECT i AS n FROM range({ROWS}) t(i)")
    before = held(con)
    laid.keep(con, table, f"NOT ({LEFT_OUT})")
    stay = counted(con, table)
    assert stay[0] == ROWS - ROWS // 1000
    assert held(con) - before < MIB
    con.execute(f"DELETE FROM {laid.read(table)} WHERE {LEFT_OUT}")
    assert held(con) - before > 7 * ROWS
    laid.keep(con, table, "true")
    assert counted(con, table) == stay


def test_what_lacks_a_row_elsewhere_is_left_out_and_numbers_stay(con: duckdb.DuckDBPyConnection) -> None:
    table = visits()
    laid.lay(con, table, "SELECT i AS n, (i % 10 = 0)::INTEGER AS dropped_ FROM range(100) t(i)")
    laid.keep(con, table, laid.STAY)
    assert laid.leave_out(con, table, "s.n < 15") == 13, "0 and 10 are out already"
    assert laid.leave_out(con, table, "s.n < 15") == 0, "and the rest now"
    assert laid.leave_out(con, table, "s.n >= 99") == 1
    found = con.execute(f"SELECT n, {laid.ROW} FROM {laid.staged(table)} ORDER BY n").fetchall()
    assert found == [(n, n) for n in range(15, 99) if n % 10]


def test_rows_that_are_laid_anew_all_stay_and_nothing_is_left_when_they_go(con: duckdb.DuckDBPyConnection) -> None:
    table = visits()
    laid.lay(con, table, "SELECT i AS n, 0 AS dropped_ FROM range(100) t(i)")
    laid.leave_out(con, table, "s.n < 50")
    laid.lay(con, table, f"SELECT s.* EXCLUDE ({laid.ROW}) FROM {laid.staged(table)} s")
    assert counted(con, table) == (50, sum(range(50, 100)))
    laid.drop(con, table)
    assert (
        con.execute(
            "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        == []
    )


def test_staging_deletes_nothing(tmp_path: Path) -> None:
    """Rows at fault and orphans are left out of what is worked on, and lie where they were read."""
    rows = clinic.rows()
    rows["visits"] += [clinic.visit(90, 1, los_days="999"), clinic.visit(91, 77)]
    rows["diagnoses"] += [clinic.diagnosis(90, 1, 1), clinic.diagnosis(91, 1, 4711)]
    source, d = raw.source_of(clinic.write_parquet(tmp_path / "source", rows)), clinic.parsed()
    with opened(source, tmp_path, (), None) as con:
        lay(con, NOBODY)
        for table in d.tables:
            found = stage.stage(con, d, table, raw.open_raw(con, source, table, zone=d.timezone), clinic.KEY)
            stage.keep_parents(con, d, table)
            (there,) = con.execute(f"SELECT count(*) FROM {laid.read(table)}").fetchall()[0]
            assert there == found.read == len(rows[table.name])
            assert stage.count(con, table) == found.read - sum(found.dropped.values())
            assert table.name == "patients" or sum(found.dropped.values()) > 0
