"""One locked, read-only instance; totals in public order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.oracle.extracts import DATASET, DEPTS, KEY, Rows, without_limits

from enclave.errors import Incident, Tampered
from enclave.query import engine as engine_module
from enclave.query.emit import Statement
from enclave.query.engine import Engine
from enclave.query.price import prepare
from enclave.query.processors import halves

FREE = without_limits(DATASET)


def test_totals_come_in_the_order_of_the_public_keys(engine: Engine, small_rows: Rows) -> None:
    priced = prepare("SELECT urgent, dept, COUNT(*) FROM visits GROUP BY dept, urgent", FREE, "1")
    (totals,) = engine.totals(priced.statements, priced.plan.keys, 5_000)
    wanted = [
        65_536 * sum(v["urgent"] is urgent and v["dept"] == dept for v in small_rows["visits"])
        for urgent in (False, True, None)
        for dept in (*DEPTS, None)
    ]
    assert totals == wanted


def test_absent_groups_are_zero_and_keys_outside_the_list_are_dropped(engine: Engine) -> None:
    priced = prepare("SELECT ward, COUNT(*) FROM visits WHERE dept = 'A' GROUP BY ward", FREE, "1")
    (totals,) = engine.totals(priced.statements, priced.plan.keys, 5_000)
    assert [bool(t) for t in totals] == [True] * 3 + [False] * 16
    odd = (Statement("SELECT * FROM (VALUES ('A1', 5), ('ZZ', 7))", 1, (0,)),)
    assert sum(engine.totals(odd, priced.plan.keys, 5_000)[0]) == 5


def test_totals_beyond_int64_are_saturated_and_no_row_is_zero(engine: Engine) -> None:
    priced = prepare("SELECT ward, COUNT(*) FROM visits WHERE dept = 'A' GROUP BY ward", FREE, "1")
    beyond = f"SELECT * FROM (VALUES ('A1', {2**100}::HUGEINT), ('A2', -{2**100}::HUGEINT), ('A3', NULL))"
    (totals,) = engine.totals((Statement(beyond, 1, (0,)),), priced.plan.keys, 5_000)
    assert totals[:3] == [2**63 - 1, 1 - 2**63, 0]
    assert not any(totals[3:])
    assert engine.groups(Statement(beyond, 1, (0,)), 5_000) == [("A1", 2**63 - 1), ("A2", 1 - 2**63), ("A3", 0)]


def test_the_engines_own_threads_stand_apart_from_those_who_ask(engine: Engine) -> None:
    askers, engines = halves(frozenset(os.sched_getaffinity(0)))
    stand = [frozenset(os.sched_getaffinity(int(thread.name))) for thread in Path("/proc/self/task").iterdir()]
    assert engines in stand
    priced = prepare("SELECT dept, COUNT(*) FROM visits GROUP BY dept", FREE, "1")
    seen: list[frozenset[int]] = []

    class Looking(tuple[Statement, ...]):
        def __iter__(self) -> Iterator[Statement]:
            seen.append(frozenset(os.sched_getaffinity(0)))
            return super().__iter__()

    engine.totals(Looking(priced.statements), priced.plan.keys, 5_000)
    assert seen[-1] == askers
    assert frozenset(os.sched_getaffinity(0)) == askers | engines


@pytest.mark.parametrize(
    "sql",
    [
        "SET threads = 1",
        "SET enable_external_access = true",
        "ATTACH '/tmp/other.duckdb' AS other",
        "CREATE TABLE extract.main.t AS SELECT 1",
        "INSERT INTO extract.main.patients SELECT * FROM extract.main.patients",
        "COPY extract.main.patients TO '/tmp/out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "INSTALL httpfs",
        "LOAD httpfs",
    ],
)
def test_even_a_statement_that_is_not_ours_finds_the_doors_locked(engine: Engine, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        engine.totals((Statement(sql, 0, (0,)),), (), 5_000)


def test_control_unlocked_the_same_statement_reads_files() -> None:
    assert duckdb.connect().execute("SELECT count(*) FROM read_text('/etc/hostname')").fetchall() == [(1,)]


def test_what_a_question_leaves_behind_closes_the_engine(small_extract: Path) -> None:
    opened = Engine(small_extract, KEY)
    with pytest.raises(duckdb.Error):
        opened.totals(
            (Statement("CREATE TABLE memory.main.left_behind AS SELECT 1 AS x; SELECT 'x'::INT", 0, (0,)),), (), 5_000
        )
    with pytest.raises(Incident) as dirty:
        opened.settle()
    assert dirty.value.code == "query.catalog_dirty"
    with pytest.raises(Incident):
        opened.totals((), (), 5_000)


def test_what_nobody_saw_to_is_found_before_the_next_question_begins(small_extract: Path) -> None:
    opened = Engine(small_extract, KEY)
    left = "CREATE TABLE memory.main.left_behind AS SELECT 1 AS x; SELECT 1"
    assert opened.totals((Statement(left, 0, (0,)),), (), 5_000) == [[1]]
    for _ in range(2):  # it stays closed
        with pytest.raises(Incident):
            opened.totals((Statement("SELECT 1", 0, (0,)),), (), 5_000)


def test_a_catalog_that_cannot_be_looked_at_closes_the_engine_the_second_time(
    small_extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory may be short while another question runs: that is no reason to ask nobody anything more."""
    opened, asked = Engine(small_extract, KEY), (Statement("SELECT 1", 0, (0,)),)
    for broken, is_open in ((True, True), (False, True), (True, True), (True, False)):
        if opened.is_open and not broken:
            assert opened.totals(asked, (), 5_000) == [[1]], "seen to be clean before it began"
        opened._asked_since = True
        with monkeypatch.context() as patched:
            if broken:
                patched.setattr(engine_module, "FOREIGN", "SELECT error('Out of Memory')")
                with pytest.raises(duckdb.Error):
                    opened.settle()
            else:
                opened.settle()
        assert opened.is_open is is_open


def test_a_question_is_interrupted_at_its_cap(engine: Engine) -> None:
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range < 0"
    with pytest.raises(duckdb.InterruptException):
        engine.totals((Statement(endless, 0, (0,)),), (), 100)
    assert engine.totals((Statement("SELECT 1", 0, (0,)),), (), 5_000) == [[1]]


def test_another_key_or_a_torn_file_does_not_open(small_extract: Path, tmp_path: Path) -> None:
    with pytest.raises(Tampered):
        Engine(small_extract, "00" * 32)
    torn = tmp_path / "torn.duckdb"
    torn.write_bytes(small_extract.read_bytes()[:5_000])
    with pytest.raises(Tampered):
        Engine(torn, KEY)
