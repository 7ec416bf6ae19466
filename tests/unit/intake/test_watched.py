"""Rows done are told while the engine works, never backwards, and never more than there are."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from tests.oracle import clinic

from enclave.intake import raw
from enclave.intake.watched import watched
from enclave.intake.workshop import Room, workshop


def test_what_is_done_is_told_from_beside_the_engine(tmp_path: Path) -> None:
    rows = 3_000_000
    pq.write_table(pa.table({"i": pa.array(range(rows))}), tmp_path / "t.parquet")
    told: list[tuple[str, int, int | None, bool]] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        told.append((stage, done, total, threading.current_thread() is threading.main_thread()))

    with workshop(tmp_path, (tmp_path,), Room(threads=1)) as con, watched(con, progress, "read t", rows):
        con.execute(
            f"CREATE TABLE h AS SELECT sha256(sha256(i::VARCHAR)) AS h FROM read_parquet('{tmp_path}/t.parquet')"
        )
    done = [n for _, n, _, _ in told]
    assert done == sorted(done) and done[0] >= 0 and done[-1] <= rows
    assert any(0 < n < rows for n in done), "something was told while it went on"
    assert {(stage, total) for stage, _, total, _ in told} == {("read t", rows)}
    assert not told[-1][3]  # by the thread beside it


def test_without_an_expected_number_the_stage_is_told_and_no_more(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    with workshop(tmp_path, (), Room()) as con, watched(con, lambda *said: told.append(said), "read t", None):
        con.execute("SELECT count(*) FROM range(1000)")
    assert told == [("read t", 0, None)]


def test_rows_are_expected_from_what_a_file_states_or_promises(tmp_path: Path) -> None:
    d, found = clinic.parsed(), clinic.rows()
    found["visits"] = [clinic.visit(n, 1) for n in range(5000)]
    base, parquet = tmp_path / "raw.duckdb", clinic.write_parquet(tmp_path / "parquet", found)
    with duckdb.connect(str(base)) as con:
        con.execute(f"CREATE TABLE visits AS FROM read_parquet('{parquet}/visits.parquet')")
    for place in (clinic.write_csv(tmp_path / "csv", found), parquet, base):
        source = raw.source_of(place)
        with workshop(tmp_path, source.sees, Room(), source.opening()) as con:
            table = d.table("visits")
            assert table is not None
            assert raw.expected_rows(con, raw.open_raw(con, source, table)) == 5000
