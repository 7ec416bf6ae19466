"""HISTOGRAM: every value falls into exactly one public bin, also where nobody does."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Rows, without_limits

from enclave.errors import EnclaveError
from enclave.query.answer import execute
from enclave.query.engine import Engine
from enclave.query.price import prepare
from enclave.query.question import parse


def domain(call: str) -> tuple[object, ...]:
    return parse(f"SELECT {call} AS b, COUNT(*) FROM visits GROUP BY b", DATASET).keys[0].domain


def test_bins_of_a_width_cover_the_bounds() -> None:
    assert domain("HISTOGRAM(los_days, 20)") == ("[0, 20)", "[20, 40)", "[40, 60)", "[60, 80)", None)
    assert domain("HISTOGRAM(change, 6)")[0] == "[-9, -3)"
    assert domain("HISTOGRAM(fee, 12500.5)")[:2] == ("[0, 12500.5)", "[12500.5, 25001)")


def test_what_lies_outside_the_edges_has_bins_of_its_own() -> None:
    assert domain("HISTOGRAM(los_days, [1, 7, 30])") == ("< 1", "[1, 7)", "[7, 30)", ">= 30", None)
    assert domain("HISTOGRAM(los_days, [0, 61])") == ("[0, 61)", None)
    assert domain("HISTOGRAM(change, [-2.5])") == ("< -2.5", ">= -2.5", None)


@pytest.mark.parametrize("edges", [[1, 7, 30], [0, 8, 59, 61]])
def test_every_row_is_counted_in_its_bin(engine: Engine, small_rows: Rows, edges: list[int]) -> None:
    sql = f"SELECT HISTOGRAM(los_days, {edges}) AS b, COUNT(*) AS n FROM visits GROUP BY b"
    priced = prepare(sql, without_limits(DATASET), "1")
    exact = engine.totals(priced.statements, priced.plan.keys, 10_000)[0]
    counted = dict(zip(priced.plan.keys[0].domain, (n // 65536 for n in exact), strict=True))
    truth: Counter[str | None] = Counter()
    for visit in small_rows["visits"]:
        value = visit["los_days"]
        if value is None:
            truth[None] += 1
            continue
        day = Fraction(str(value))
        below = [e for e in edges if e <= day]
        above = [e for e in edges if e > day]
        truth[f"[{below[-1]}, {above[0]})" if below and above else f">= {below[-1]}" if below else f"< {above[0]}"] += 1
    assert {b: n for b, n in counted.items() if n} == dict(truth)


def test_bins_come_back_in_their_order_with_intervals(engine: Engine) -> None:
    sql = "SELECT HISTOGRAM(los_days, 10), COUNT(*) AS n FROM visits GROUP BY 1"
    rows = pa.ipc.open_stream(execute(prepare(sql, DATASET, "1"), engine).body).read_all().to_pylist()
    assert [r["key_1"] for r in rows] == [*(f"[{e}, {e + 10})" for e in range(0, 61, 10)), None]
    assert all(r["n_low"] < r["n"] < r["n_high"] for r in rows)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("HISTOGRAM(los_days)", "query.histogram"),
        ("HISTOGRAM(los_days, 0)", "query.histogram"),
        ("HISTOGRAM(los_days, -1)", "query.histogram"),
        ("HISTOGRAM(los_days, 0.1)", "query.histogram"),
        ("HISTOGRAM(los_days, change)", "query.histogram"),
        ("HISTOGRAM(los_days, [])", "query.histogram"),
        ("HISTOGRAM(los_days, [3, 3])", "query.histogram"),
        ("HISTOGRAM(los_days, [9, 3])", "query.histogram"),
        ("HISTOGRAM(los_days, ['a'])", "query.histogram"),
        ("HISTOGRAM(score, 5)", "query.no_bounds"),
        ("HISTOGRAM(dept, 5)", "query.needs_number"),
        ("GET_ENV('x')", "query.function"),
    ],
)
def test_what_is_no_histogram_is_said_in_words_with_its_place(call: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        parse(f"SELECT {call} AS b, COUNT(*) FROM visits GROUP BY b", DATASET)
    assert refused.value.code == code
    assert refused.value.place
