"""One person's row must not be able to make a question fail, and analyst text must never reach the engine.

Each attack is refused before anything is charged, in the same words whatever the data. The control shows that the naive
way, the analyst's SQL in DuckDB, fails on the data of one person and says the value.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, KEY, Rows, build

from enclave.errors import EnclaveError
from enclave.query.answer import execute
from enclave.query.engine import Engine
from enclave.query.price import prepare

ATTACKS = {
    "cast of a cell": ("CAST(dx AS INTEGER) > 0", "query.cast"),
    "short cast": ("dx::INTEGER > 0", "query.cast"),
    "integer division by zero": ("1 // (CASE WHEN fee = 100 THEN 0 ELSE 1 END) = 1", "query.division"),
    "remainder by zero": ("1 % (CASE WHEN fee = 100 THEN 0 ELSE 1 END) = 1", "query.division"),
    "error()": ("error('found ' || dx) IS NULL", "query.function"),
    "sleep": ("sleep_ms(1000) IS NULL", "query.function"),
    "bad pattern": ("regexp_matches(dx, '(')", "query.function"),
    "long text": ("length(repeat(dx, 1000000000)) > 0", "query.function"),
    "file function": ("dx = (SELECT content FROM read_text('/etc/passwd'))", "query.subquery"),
    "more than one row": ("fee = (SELECT fee FROM visits)", "query.subquery"),
    "an enum of other codes": ("dept = 'not a code'", "query.unknown_code"),
    "a date that is none": ("admitted_on > '2023-02-31'", "query.bad_date"),
    "state": ("setseed(0.5) IS NULL", "query.function"),
    "sequence": ("nextval('s') = 1", "query.function"),
    "query()": ("dx IN (SELECT * FROM query('SELECT 1'))", "query.subquery"),
    "columns()": ("COLUMNS('.*') IS NULL", "query.function"),
    "overflow": ("fee * fee * fee * 1000 > 0", "query.too_wide"),
}
"""A condition, and the code it is refused with."""

RAISE_IN_DUCKDB = {
    "cast of a cell": "SELECT count(*) FROM visits WHERE CAST(dx AS INTEGER) > 0",
    "error()": "SELECT count(*) FROM visits WHERE error('found ' || dx::VARCHAR) IS NULL",
    "overflow": "SELECT sum(fee::BIGINT * 9223372036854775807) FROM visits",
    "more than one row": "SELECT count(*) FROM visits WHERE fee = (SELECT fee FROM visits)",
    "an enum of other codes": "SELECT count(CAST(dx::VARCHAR AS ENUM ('E11'))) FROM visits",
    "narrow arithmetic": "SELECT count(*) FROM visits WHERE los_days * los_days * 2 > 0",
}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """With one extreme person, and without anybody: neighbours."""
    folder = tmp_path_factory.mktemp("neighbours")
    rows = person([{"los_days": 60, "fee": 5_000_000} for _ in range(3)])
    nobody: Rows = {name: [] for name in rows}
    return build(folder / "with.duckdb", DATASET, rows), build(folder / "without.duckdb", DATASET, nobody)


@pytest.mark.parametrize(("condition", "code"), ATTACKS.values(), ids=ATTACKS.keys())
def test_it_is_refused_before_anything_is_charged(condition: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(f"SELECT COUNT(*) FROM visits WHERE {condition}", DATASET, "1")
    assert refused.value.code == code
    assert refused.value.place
    assert refused.value.exit_code in (2, 3)


@pytest.mark.parametrize("sql", RAISE_IN_DUCKDB.values(), ids=RAISE_IN_DUCKDB.keys())
def test_control_the_naive_way_raises_when_the_person_is_there(extracts: tuple[Path, Path], sql: str) -> None:
    with duckdb.connect() as naive:
        naive.execute(f"ATTACH '{extracts[0]}' AS e (ENCRYPTION_KEY $1, READ_ONLY)", [KEY])
        naive.execute("USE e")
        with pytest.raises(duckdb.Error):
            naive.execute(sql).fetchall()


EXTREMES = [
    "SELECT SUM(los_days * los_days * 2) FROM visits",
    "SELECT SUM(fee * 1000) FROM visits WHERE los_days * los_days * los_days > 1",
    "SELECT dept, AVG(fee * 20 - change) FROM visits GROUP BY dept",
    "SELECT SUM(-ABS(fee) * 28000000) FROM visits",
    "SELECT COUNT(*) FROM visits WHERE fee > 40000000000000000 OR los_days < -4000000000000000000",
    "SELECT YEAR(admitted_on) + los_days AS k, COUNT(*) FROM visits GROUP BY k",
]


@pytest.mark.parametrize("sql", EXTREMES)
def test_what_is_answered_neither_fails_nor_differs_in_shape_between_neighbours(
    extracts: tuple[Path, Path], sql: str
) -> None:
    priced = prepare(sql, DATASET, "1000")
    shapes = set()
    for path in extracts:
        opened = Engine(path, KEY)
        executed = execute(priced, opened)
        assert not executed.incident
        table = pa.ipc.open_stream(executed.body).read_all()
        shapes.add((table.num_rows, str(table.schema)))
        opened.settle()
        opened.close()
    assert len(shapes) == 1


def test_group_keys_and_their_order_are_those_of_the_dictionary_with_and_without_the_person(
    extracts: tuple[Path, Path],
) -> None:
    priced = prepare("SELECT dx, dept, COUNT(*) AS n FROM visits GROUP BY dx, dept", DATASET, "0.3")
    seen = []
    for path in extracts:
        opened = Engine(path, KEY)
        table = pa.ipc.open_stream(execute(priced, opened).body).read_all()
        seen.append(table.select(["dx", "dept"]).to_pylist())
        opened.settle()
        opened.close()
    assert seen[0] == seen[1]
    with duckdb.connect() as naive:  # control: the engine's own groups tell whether the person is there
        naive.execute(f"ATTACH '{extracts[0]}' AS e (ENCRYPTION_KEY $1, READ_ONLY)", [KEY])
        assert naive.execute("SELECT dx, dept FROM e.visits GROUP BY ALL").fetchall() == [("I10", "A")]
