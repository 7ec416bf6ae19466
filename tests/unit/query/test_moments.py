"""Variance, standard deviation, covariance, correlation: near the truth when quiet, covered by their box when not."""

from __future__ import annotations

import statistics
from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Row, Rows

from enclave.errors import EnclaveError
from enclave.query import mechanisms, moments
from enclave.query.answer import drawn, execute, released
from enclave.query.engine import Engine
from enclave.query.mechanisms import discrete_gaussian, discrete_laplace
from enclave.query.moments import Noised
from enclave.query.price import prepare
from enclave.query.question import parse
from enclave.query.tally import ONE_PER_PERSON

FREE = replace(
    DATASET, tables=tuple(replace(t, row_clip=t.row_clip if t.one_row_per_person else 40) for t in DATASET.tables)
)
"""No person of the small extract has more rows: nothing is clipped, and at the largest ε noise is a few rows."""

QUIET = "1000"


def asked(engine: Engine, sql: str) -> Row:
    executed = execute(prepare(sql, FREE, QUIET), engine)
    assert not executed.incident
    (row,) = pa.ipc.open_stream(executed.body).read_all().to_pylist()
    made: Row = row
    return made


def pairs(rows: Rows, x: str, y: str) -> tuple[list[float], list[float]]:
    known = [(v[x], v[y]) for v in rows["visits"] if v[x] is not None and v[y] is not None]
    return [float(str(a)) for a, _ in known], [float(str(b)) for _, b in known]


@pytest.mark.parametrize("column", ["los_days", "change", "fee"])
def test_a_variance_is_near_the_truth(engine: Engine, small_rows: Rows, column: str) -> None:
    row = asked(
        engine,
        f"SELECT VAR_POP({column}) AS vp, VAR_SAMP({column}) AS vs, STDDEV_POP({column}) AS sp, STDDEV({column}) AS ss "
        "FROM visits",
    )
    scale = 100 if column == "fee" else 1
    known = [float(str(v[column])) / scale for v in small_rows["visits"] if v[column] is not None]
    truth = {
        "vp": statistics.pvariance(known),
        "vs": statistics.variance(known),
        "sp": statistics.pstdev(known),
        "ss": statistics.stdev(known),
    }
    for name, expected in truth.items():
        assert row[name] == pytest.approx(expected, abs=8 * row[f"{name}_se"] + 1e-4 * expected)  # type: ignore[operator]
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]  # type: ignore[operator]


def test_covariance_and_correlation_leave_out_pairs_with_a_null(engine: Engine, small_rows: Rows) -> None:
    row = asked(engine, "SELECT COVAR_POP(los_days, change) AS c, CORR(los_days, change) AS r FROM visits")
    xs, ys = pairs(small_rows, "los_days", "change")
    covariance = statistics.covariance(xs, ys) * (len(xs) - 1) / len(xs)
    assert row["c"] == pytest.approx(covariance, abs=8 * row["c_se"])  # type: ignore[operator]
    assert row["r"] == pytest.approx(statistics.correlation(xs, ys), abs=8 * row["r_se"])  # type: ignore[operator]
    assert -1 <= row["r_low"] <= row["r"] <= row["r_high"] <= 1  # type: ignore[operator]


@pytest.mark.parametrize(
    "call",
    ["VAR_POP(los_days)", "STDDEV_SAMP(los_days)", "COVAR_SAMP(los_days, change)", "CORR(los_days, los_days + change)"],
)
def test_the_noise_interval_covers_the_number_without_noise(engine: Engine, call: str) -> None:
    priced = prepare(f"SELECT {call} AS x FROM visits", FREE, "8")
    exact = engine.totals(priced.statements, (), 10_000)
    (aggregate,), missed = priced.plan.aggregates, 0
    share = Fraction(1, 20) / len(priced.draws)

    def columns(totals: list[list[int]], scale: int = 0) -> moments.Columns:
        return moments.columns(
            aggregate,
            [
                Noised(d.tally, t, float(scale or d.scale), mechanisms.noise_radius(scale or d.scale, share))
                for d, t in zip(priced.draws, totals, strict=True)
            ],
        )

    truth = columns(exact, scale=1)[0][0]
    assert truth is not None
    for _ in range(200):
        noisy = [mechanisms.noisy(t, d.scale) for t, d in zip(exact, priced.draws, strict=True)]
        _, _, (low,), (high,) = columns(noisy)
        assert low is not None and high is not None
        missed += not low - 1e-9 <= truth <= high + 1e-9
    assert missed <= 22  # 10 expected at most; the box makes it far fewer


@pytest.mark.parametrize("call", ["VAR_POP(los_days)", "CORR(los_days, los_days + change)"])
def test_so_it_does_in_pure_epsilon(engine: Engine, call: str) -> None:
    priced = prepare(f"SELECT {call} AS x FROM visits", FREE, "60", pure=True)
    assert {d.mechanism for d in priced.draws} == {"discrete_laplace"}
    exact = engine.totals(priced.statements, (), 10_000)
    truth = released(priced.plan, priced.draws, exact)["x"][0]
    assert truth is not None
    missed, apart = 0, 0
    for _ in range(200):
        noisy = [drawn(priced.plan, d, t) for d, t in zip(priced.draws, exact, strict=True)]
        columns = released(priced.plan, priced.draws, noisy)
        low, high = columns["x_low"][0], columns["x_high"][0]
        assert low is not None and high is not None
        missed += not low - 1e-9 <= truth <= high + 1e-9
        apart += columns["x"][0] != truth
    assert missed <= 22  # 10 expected at most; the box makes it far fewer
    assert apart > 150


@pytest.mark.parametrize("calls", ["VAR_POP(los_days)", "COVAR_SAMP(fee, change)", "CORR(fee, los_days)"])
def test_in_pure_epsilon_every_total_is_priced_under_an_l1_norm(calls: str) -> None:
    priced = prepare(f"SELECT dept, {calls} FROM visits GROUP BY dept", DATASET, "1", pure=True)
    of_rho = prepare(f"SELECT dept, {calls} FROM visits GROUP BY dept", DATASET, "1")
    for draw, other in zip(priced.draws, of_rho.draws, strict=True):
        assert (draw.tally.norm.column, draw.tally.factor) == ("unit_rows", other.tally.factor)
        assert draw.nano_epsilon >= discrete_laplace(draw.scale).map(draw.tally.sensitivity) * 10**9
        assert other.tally.norm.column != "unit_rows", "the control: in ρ the norm is the facet's"
    assert 0.999 * 10**9 < priced.nano_epsilon <= 10**9


def test_rounding_moves_as_many_ones_as_there_are_cells_in_l1() -> None:
    """A person of one row in each of 25 cells, whose products come to 1: beside totals that end in grain − 1 each quotient
    moves by one. √25 + 1, which holds in l2, would not do."""
    term = parse("SELECT VAR_POP(fee) FROM visits", DATASET).aggregates[0]
    slacks: list[int] = []
    grain = 0
    for pure in (False, True):
        product = list(moments.tallies_of(0, term, ONE_PER_PERSON, 25, pure=pure))[2].product
        assert product is not None
        slacks.append(product.slack)
        grain = product.grain
    moved = sum((9 * grain - 1 + 1) // grain - (9 * grain - 1) // grain for _ in range(25))
    assert grain > 25 and slacks == [6, 25]
    assert slacks[0] + 25 // grain < moved <= slacks[1] + 25 // grain


@pytest.mark.parametrize(("call", "mechanisms_of_it"), [("VAR_POP", 3), ("STDDEV", 3), ("COVAR_POP", 4), ("CORR", 6)])
def test_every_total_is_priced_by_the_map(call: str, mechanisms_of_it: int) -> None:
    second = ", change" if mechanisms_of_it > 3 else ""
    priced = prepare(f"SELECT {call}(los_days{second}) FROM visits", DATASET, "1")
    assert len(priced.draws) == mechanisms_of_it
    for draw in priced.draws:
        assert draw.rho >= discrete_gaussian(draw.scale).map(float(draw.tally.sensitivity)) * 10**9
    assert priced.rho == sum(d.rho for d in priced.draws) <= mechanisms.rho_for("1", "1e-6")


def test_squares_are_counted_from_the_middle() -> None:
    squares = prepare("SELECT VAR_POP(los_days) FROM visits", DATASET, "1").draws[2].tally
    assert squares.factor == 30 * 30 // 2
    assert squares.norm.clip == 8


def test_wide_columns_are_cut_into_levels_whose_sum_fits(engine: Engine) -> None:
    squares = prepare("SELECT VAR_POP(fee) FROM visits", DATASET, "1").draws[2].tally
    assert squares.product is not None
    assert squares.product.grain > 1
    assert squares.factor * 65536 * 2**28 <= 2**62


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("MIN(los_days)", "query.extreme"),
        ("MAX(los_days)", "query.extreme"),
        ("MODE(dept)", "query.mode"),
        ("VAR_POP(score)", "query.no_bounds"),
        ("STDDEV(dept)", "query.needs_number"),
        ("VAR_POP(DISTINCT los_days)", "query.distinct_other"),
        ("CORR(los_days, dept)", "query.needs_number"),
        ("COVAR_POP(los_days, score)", "query.no_bounds"),
    ],
)
def test_what_is_not_answered_is_said_in_words_with_its_place(call: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        parse(f"SELECT {call} FROM visits", DATASET)
    assert refused.value.code == code
    assert refused.value.place
    assert refused.value.words("zh") != refused.value.words("en")
