"""Rows 13 to 16: what floating point, the order of a sum, NaN and NULL tell about one person.

Totals are whole numbers from intake to noise; NULL is a key like any other and adds nothing to a sum. The controls are
textbook noise in doubles, a sum of doubles in two orders, numpy's clip, and plain groups.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from tests.oracle import clinic
from tests.oracle.counterexamples import person
from tests.oracle.extracts import DATASET, KEY, Rows, build
from tests.oracle.neighbours import unhurried
from tests.oracle.persons import People

from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.errors import EnclaveError
from enclave.query import mechanisms
from enclave.query.answer import execute
from enclave.query.engine import Engine
from enclave.query.price import prepare


def answered(folder: Path, rows: Rows, sql: str, epsilon: str = "1") -> list[dict[str, Any]]:
    engine = Engine(build(folder / "x.duckdb", DATASET, rows), KEY)
    executed = execute(unhurried(prepare(sql, DATASET, epsilon)), engine)
    engine.settle()
    engine.close()
    assert not executed.incident
    table: list[dict[str, Any]] = pa.ipc.open_stream(executed.body).read_all().to_pylist()
    return table


def on_the_lattice(value: float, step: float) -> bool:
    return value % step == 0


def test_row_13_the_low_bits_of_an_answer_are_those_of_the_lattice(tmp_path: Path) -> None:
    """Every count is a whole number of 1/65536, whatever is counted: supports do not tell neighbours apart."""
    rows = person([{} for _ in range(5)])
    found = answered(tmp_path, rows, "SELECT dept, dx, COUNT(*) AS n FROM visits GROUP BY dept, dx", "0.7")
    assert len(found) == 35
    assert all(on_the_lattice(r["n"], 1 / WEIGHT_ONE) for r in found)
    supports = [{d % 3 for d in mechanisms.noisy([start] * 3_000, 5)} for start in (0, 1)]
    assert supports[0] == supports[1] == {0, 1, 2}


def test_row_13_control_noise_in_doubles_tells_0_from_1() -> None:
    """1 + noise in doubles is a multiple of 2⁻⁵³ where it is near 0.3; 0 + noise mostly is not (Mironov)."""
    noise = np.random.default_rng(1).laplace(size=20_000)
    zero, one = noise, 1 + noise
    near = [v[(abs(v) > 0.01) & (abs(v) < 0.25)] for v in (zero, one)]
    coarse = [float(np.mean(v % 2.0**-53 == 0)) for v in near]
    assert coarse[1] == 1.0
    assert coarse[0] < 0.9


def test_row_14_the_order_of_rows_does_not_change_a_sum(tmp_path: Path) -> None:
    """Decimals are whole hundredths: their totals are the same integers in any order."""
    fees = [1, 5_000_000, 12_345, 0, 4_999_999]
    totals = []
    for order in (fees, fees[::-1]):
        with People(DATASET, person([{"fee": fee} for fee in order])) as people:
            (cells,) = people.vectors(*_planned("SELECT SUM(fee) FROM visits"))
            totals.append(cells[()])
    assert totals[0] == totals[1]


def _planned(sql: str) -> Any:
    from enclave.query.bounds import tallies
    from enclave.query.question import parse

    plan = parse(sql, DATASET)
    return plan, tallies(plan)


def test_row_14_control_a_sum_of_doubles_depends_on_their_order() -> None:
    one, other = (
        duckdb.connect().execute(f"SELECT sum(x::DOUBLE) FROM (VALUES {v}) AS t(x)").fetchall()
        for v in ("(1e16), (1.0), (-1e16)", "(1e16), (-1e16), (1.0)")
    )
    assert one != other


@pytest.mark.parametrize("written", ["nan", "inf", "-inf", "1e400", "NaN"])
def test_row_15_what_is_no_number_never_reaches_an_extract(tmp_path: Path, written: str) -> None:
    """Intake refuses it, or it is stored as NULL: there is no column of floats to hold it."""
    raw = clinic.rows()
    raw["visits"][0] = raw["visits"][0] | {"fee": written}
    try:
        extract = clinic.built(tmp_path, raw)
    except EnclaveError as refused:
        assert refused.words("en")
        return
    fees = [row["fee"] for row in clinic.stored(extract, "visits")]
    assert all(fee is None or isinstance(fee, int) for fee in fees)
    assert all(-1_000 <= fee <= 100_000 for fee in fees if fee is not None)


def test_row_15_control_clipping_keeps_nan() -> None:
    assert math.isnan(float(np.clip([1.0, np.nan], 0, 60).sum()))


def test_row_16_a_missing_key_is_a_key_and_a_missing_value_adds_nothing(tmp_path: Path) -> None:
    sql = "SELECT dept, COUNT(*) AS n, COUNT(los_days) AS known, SUM(los_days) AS s FROM visits GROUP BY dept"
    nobody: Rows = {name: [] for name in person([{}])}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with_null = answered(tmp_path / "a", person([{"dept": None, "los_days": None}] * 3), sql, "1000")
    without = answered(tmp_path / "b", nobody, sql, "1000")
    assert [r["dept"] for r in with_null] == [r["dept"] for r in without] == [*"ABCDEF", None]
    (missing,) = [r for r in with_null if r["dept"] is None]
    assert missing["n"] == pytest.approx(3, abs=7 * missing["n_se"])
    assert missing["known"] == pytest.approx(0, abs=7 * missing["known_se"])
    assert missing["s"] == pytest.approx(0, abs=7 * missing["s_se"])


def test_row_16_control_plain_groups_show_the_person_without_a_department() -> None:
    with People(DATASET, person([{"dept": None}])) as people:
        assert people.connection.execute("SELECT dept FROM extract.visits GROUP BY dept").fetchall() == [(None,)]
