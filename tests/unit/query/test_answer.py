"""What leaves: near the truth at a large ε, in one shape whatever happened."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, DEPTS, KEY, Rows, without_limits
from tests.oracle.questions import ANSWERED

from enclave.query import mechanisms
from enclave.query.answer import Executed, execute
from enclave.query.engine import Engine
from enclave.query.price import prepare

FREE = without_limits(DATASET)
QUIET = "1000"


def table(executed: Executed) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.ipc.open_stream(executed.body).read_all().to_pylist()
    return rows


def asked(engine: Engine, sql: str, epsilon: str = QUIET) -> list[dict[str, Any]]:
    executed = execute(prepare(sql, DATASET, epsilon), engine)
    assert not executed.incident
    return table(executed)


def test_counts_of_persons_are_near_the_truth(engine: Engine, small_rows: Rows) -> None:
    rows = asked(engine, "SELECT sex, COUNT(*) AS n FROM patients GROUP BY sex")
    truth = Counter(p["sex"] for p in small_rows["patients"])
    assert [r["sex"] for r in rows] == ["F", "M", None]
    for row in rows:
        assert row["n"] == pytest.approx(truth[row["sex"]], abs=7 * row["n_se"])
        assert row["n_low"] < row["n"] < row["n_high"]


def test_a_mean_is_near_the_truth_and_inside_its_interval(engine: Engine, small_rows: Rows) -> None:
    (row,) = asked(engine, "SELECT AVG(balance) AS b, COUNT(DISTINCT patient_id) AS n, SUM(age) FROM patients")
    known = [int(str(p["balance"])) for p in small_rows["patients"] if p["balance"] is not None]
    assert row["b"] == pytest.approx(sum(known) / len(known) / 100, abs=7 * row["b_se"])
    assert -500 <= row["b_low"] <= row["b"] <= row["b_high"] <= 200
    assert row["n"] == pytest.approx(120, abs=7 * row["n_se"])
    ages = sum(int(str(p["age"] or 0)) for p in small_rows["patients"])
    assert row["sum_age"] == pytest.approx(ages, abs=7 * row["sum_age_se"])


def test_unclipped_totals_of_visits_are_near_the_truth(engine: Engine, small_rows: Rows) -> None:
    priced = prepare("SELECT dept, COUNT(*) AS n, SUM(fee) AS f FROM visits GROUP BY dept", FREE, QUIET)
    for row in table(execute(priced, engine)):
        mine = [v for v in small_rows["visits"] if v["dept"] == row["dept"]]
        assert row["n"] == pytest.approx(len(mine), abs=7 * row["n_se"])
        assert row["f"] == pytest.approx(sum(int(str(v["fee"] or 0)) for v in mine) / 100, abs=7 * row["f_se"])


def test_a_mean_of_nobody_is_null_with_the_whole_range(engine: Engine) -> None:
    plan = "SELECT AVG(age) AS a FROM patients WHERE smoker AND NOT smoker"
    rows = [asked(engine, plan)[0] for _ in range(60)]
    assert {r["a"] is None for r in rows} == {True, False}
    assert all((row["a"] is None) == (row["a_se"] is None) for row in rows)
    whole = [(row["a_low"], row["a_high"]) == (0, 90) for row in rows]
    assert sum(whole) >= 36, "now and then the noise alone makes a count that stands clear of nothing"


def test_absent_groups_come_back_as_noisy_zeros(engine: Engine) -> None:
    rows = asked(engine, "SELECT ward, COUNT(*) AS n FROM visits WHERE dept = 'A' GROUP BY ward", "0.5")
    assert len(rows) == 19
    assert len({r["n"] for r in rows}) > 10


def test_order_and_limit_are_of_the_noisy_column(engine: Engine) -> None:
    rows = asked(engine, "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept ORDER BY n DESC LIMIT 4", "0.1")
    assert len(rows) == 4
    assert [r["n"] for r in rows] == sorted((r["n"] for r in rows), reverse=True)
    by_key = asked(engine, "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept ORDER BY dept DESC", "0.1")
    assert [r["dept"] for r in by_key] == [*sorted(DEPTS, reverse=True), None]


def test_key_columns_keep_their_kinds(engine: Engine) -> None:
    priced = prepare(
        "SELECT dept, urgent, YEAR(admitted_on) AS y, COUNT(*) AS n FROM visits GROUP BY 1, 2, 3", DATASET, "1"
    )
    schema = pa.ipc.open_stream(execute(priced, engine).body).schema
    assert [str(f.type) for f in schema] == ["string", "bool", "int64", *["double"] * 4]
    assert schema.names == ["dept", "urgent", "y", "n", "n_se", "n_low", "n_high"]


@pytest.mark.parametrize("sql", ANSWERED)
def test_every_question_is_answered_and_twice_differently(engine: Engine, sql: str) -> None:
    first, second = asked(engine, sql, "20"), asked(engine, sql, "20")  # so much that few numbers are lost in noise
    assert first != second
    assert all(value == value for row in first for value in row.values()), "no NaN"


def test_a_failing_engine_gives_noise_around_zero_in_the_same_shape(small_extract: Path) -> None:
    priced = prepare("SELECT dept, COUNT(*) AS n, AVG(fee) FROM visits GROUP BY dept", DATASET, "1")
    opened = Engine(small_extract, KEY)
    working = execute(priced, opened)
    opened.settle()
    opened.close()
    failed = execute(priced, opened)
    assert (working.incident, failed.incident) == (False, True)
    assert len(table(failed)) == len(table(working)) == 7
    assert pa.ipc.open_stream(failed.body).schema == pa.ipc.open_stream(working.body).schema
    for row in table(failed):
        assert abs(row["n"]) < 7 * row["n_se"]


def test_a_failing_mechanism_releases_nothing_but_the_shape(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(vector: list[int], scale: int) -> list[int]:
        raise RuntimeError(f"{vector} must not leave")

    monkeypatch.setattr(mechanisms, "noisy", broken)
    executed = execute(prepare("SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept", DATASET, "1"), engine)
    assert executed.incident
    assert {r["n"] for r in table(executed)} == {None}
