"""Quantiles: no person moves a score or a bin further than declared; near the truth when quiet; covered when not."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Row, Rows

from enclave.errors import EnclaveError
from enclave.query import mechanisms
from enclave.query.answer import drawn, execute, released
from enclave.query.engine import Engine
from enclave.query.mechanisms import discrete_gaussian, exponential, permute_and_flip
from enclave.query.plan import Sort, Term, Type
from enclave.query.price import prepare
from enclave.query.quantiles import bins_of, radii, read_off, scores
from enclave.query.question import parse
from enclave.query.tally import Side
from enclave.query.terms import number

FREE = replace(
    DATASET, tables=tuple(replace(t, row_clip=t.row_clip if t.one_row_per_person else 40) for t in DATASET.tables)
)
POINTS = [Fraction(1, 2), Fraction(1, 4), Fraction(9, 10), Fraction(1, 3), Fraction(19, 20)]


def asked(engine: Engine, sql: str, epsilon: str = "1000") -> list[Row]:
    executed = execute(prepare(sql, FREE, epsilon), engine)
    assert not executed.incident
    rows: list[Row] = pa.ipc.open_stream(executed.body).read_all().to_pylist()
    return rows


def truth(values: list[int], point: Fraction) -> int:
    """The first value whose rank reaches the point: QUANTILE_DISC."""
    ordered = sorted(values)
    return next(v for i, v in enumerate(ordered, 1) if i >= point * len(ordered))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("shift", [-5, 0, 3])
def test_no_row_moves_a_score_further_than_declared(point: Fraction, shift: int) -> None:
    """Every histogram of three bins of up to three rows, and one row of weight 1 or 2 more, in every bin."""
    a, b = point.as_integer_ratio()
    reached = 0
    for weights in itertools.product(range(4), repeat=3):
        before = scores(weights, point, shift, ends=True)
        for at, weight in itertools.product(range(3), (1, 2)):
            more = [w + weight * (i == at) for i, w in enumerate(weights)]
            after = scores(more, point, shift, ends=True)
            moved = max(abs(x - y) for x, y in zip(before, after, strict=True))
            assert moved <= max(a, b - a) * weight
            reached = max(reached, moved - max(a, b - a) * (weight - 1))
    assert reached == max(a, b - a), "the claim is to be tight"


def test_a_score_of_a_clipped_target_would_move_further() -> None:
    """Control: the tempting max(0, a·N + s) breaks the bound, so the target is never clipped."""

    def clipped(weights: list[int]) -> list[int]:
        target = max(0, sum(weights) * 9 - 9)
        sums = [0, *itertools.accumulate(weights)]
        return [-max(0, target - 10 * to, 10 * before - target) for before, to in itertools.pairwise(sums)]

    moved = max(abs(x - y) for x, y in zip(clipped([0, 0]), clipped([1, 0]), strict=True))
    assert moved > 9


def test_the_best_score_is_zero_and_stands_at_the_quantile() -> None:
    draw = random.Random(4)
    for _ in range(300):
        weights = [draw.choice((0, 0, 1, 2, 7)) for _ in range(9)]
        values = [v for v, w in enumerate(weights) for _ in range(w)]
        if values:
            for point in POINTS:
                found = scores(weights, point)
                assert max(found) == 0
                assert found[truth(values, point)] == 0


@pytest.mark.parametrize("column", ["los_days", "change", "fee"])
@pytest.mark.parametrize("point", ["0.25", "0.5", "0.9"])
def test_one_quantile_is_near_the_truth(engine: Engine, small_rows: Rows, column: str, point: str) -> None:
    (row,) = asked(engine, f"SELECT QUANTILE_CONT({column}, {point}) AS q FROM visits")
    scale = 100 if column == "fee" else 1
    known = [int(str(v[column])) for v in small_rows["visits"] if v[column] is not None]
    near = sorted(truth(known, Fraction(point) + s * Fraction(3, 100)) / scale for s in (-1, 1))
    width = 5_000_000 / 2048 / scale if column == "fee" else 0
    assert near[0] - width <= row["q"] <= near[1] + width  # type: ignore[operator]
    assert row["q_low"] <= row["q"] <= row["q_high"]  # type: ignore[operator]


def test_several_quantiles_of_a_column_are_read_off_one_histogram(engine: Engine, small_rows: Rows) -> None:
    sql = "SELECT QUANTILE_CONT(los_days, 0.25) AS a, MEDIAN(los_days) AS b, QUANTILE_CONT(los_days, 0.9) AS c FROM visits"
    assert [d.tally.part for d in prepare(sql, FREE, "1").draws] == ["histogram"]
    (row,) = asked(engine, sql)
    known = [int(str(v["los_days"])) for v in small_rows["visits"] if v["los_days"] is not None]
    for name, point in (("a", "0.25"), ("b", "0.5"), ("c", "0.9")):
        near = sorted(truth(known, Fraction(point) + s * Fraction(6, 100)) for s in (-1, 1))
        assert near[0] <= row[name] <= near[1]  # type: ignore[operator]
    assert row["a"] <= row["b"] <= row["c"]  # type: ignore[operator]


def test_quantiles_by_group_stand_in_their_groups(engine: Engine, small_rows: Rows) -> None:
    rows = asked(engine, "SELECT urgent, MEDIAN(los_days) AS q, MEDIAN(los_days) AS r FROM visits GROUP BY urgent")
    assert [r["urgent"] for r in rows] == [False, True, None]
    for row in rows:
        assert 0 <= row["q_low"] <= row["q"] <= row["q_high"] <= 60  # type: ignore[operator]


@pytest.mark.parametrize("call", ["MEDIAN(los_days) AS q", "QUANTILE_CONT(change, 0.9) AS q, MEDIAN(change) AS r"])
@pytest.mark.parametrize("epsilon", ["0.5", "8"])
@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_the_noise_interval_covers_the_number_without_noise(
    engine: Engine, call: str, epsilon: str, pure: bool
) -> None:
    priced = prepare(f"SELECT {call} FROM visits", FREE, epsilon, pure=pure)
    exact = engine.totals(priced.statements, (), 10_000)
    bins, point = priced.draws[0].tally.bins, priced.plan.aggregates[0].point
    assert bins is not None
    assert point is not None
    number_without = bins.lowest(scores(exact[0], point).index(0))
    missed = 0
    for _ in range(200):
        noisy = [drawn(priced.plan, d, t) for t, d in zip(exact, priced.draws, strict=True)]
        columns = released(priced.plan, priced.draws, noisy)
        low, high = columns["q_low"][0], columns["q_high"][0]
        assert low is not None
        assert high is not None
        missed += not low <= number_without <= high
    assert missed <= 22


def test_choices_and_histograms_are_priced_by_their_maps() -> None:
    single = prepare("SELECT dept, QUANTILE_CONT(los_days, 0.9) FROM visits GROUP BY dept", DATASET, "1")
    assert [d.tally.side for d in single.draws] == list(Side)
    for draw in single.draws:
        assert draw.tally.sensitivity == 9 * 5 * 65536  # max(a, b − a), the facet's clip
        assert draw.rho >= exponential(draw.scale).map(draw.tally.sensitivity) * 10**9
    assert {m.mechanism for m in single.quote.mechanisms} == {"exponential"}
    several = prepare("SELECT MEDIAN(los_days) AS a, QUANTILE_CONT(los_days, 0.9) AS b FROM visits", DATASET, "1")
    (only,) = several.draws
    assert only.tally.sensitivity == 8 * 65536
    assert only.rho >= discrete_gaussian(only.scale).map(float(only.tally.sensitivity)) * 10**9


def test_the_price_of_a_choice_grows_with_the_square_of_its_distance() -> None:
    """What lets groups under an l2 norm be paid as one."""
    one = mechanisms.price_of_choice(10**6, 10**5)
    for times in (2, 3, 10):
        assert mechanisms.price_of_choice(10**6, times * 10**5) == pytest.approx(times**2 * one, rel=1e-6)
    draws = [mechanisms.chosen([0, -1, -2], 2) for _ in range(4000)]
    assert draws.count(0) / draws.count(2) == pytest.approx(2.718, rel=0.2)


# --- in pure ε ------------------------------------------------------------------------------------------------------


def flipped(found: list[int], scale: float) -> list[float]:
    """How likely permute-and-flip takes each (McKenna, Sheldon 2020): it flips a coin of exp((score − best)/scale) for one
    after another in random order, until one falls heads."""
    coins = [math.exp((s - max(found)) / scale) for s in found]
    likely = []
    for at, coin in enumerate(coins):
        others = [c for i, c in enumerate(coins) if i != at]
        subsets = (s for n in range(len(coins)) for s in itertools.combinations(others, n))
        likely.append(coin * math.fsum((-1) ** len(s) / (len(s) + 1) * math.prod(s) for s in subsets))
    return likely


def test_the_kernel_takes_scores_as_permute_and_flip_would() -> None:
    """20,000 choices; a share that is off by six standard deviations is seen once in 10⁸ runs."""
    found, scale, times = [0, -1, -1, -4, -9], 2, 20_000
    drawn_so = [mechanisms.flipped(found, scale) for _ in range(times)]
    for at, share in enumerate(flipped(found, scale)):
        assert abs(drawn_so.count(at) / times - share) < 6 * math.sqrt(share * (1 - share) / times)
    assert flipped([0, -2], 1)[1] == pytest.approx(math.exp(-2) / 2), "at most half of exp(−t/scale)"


@pytest.mark.parametrize("point", [Fraction(1, 2), Fraction(9, 10), Fraction(1, 3)])
@pytest.mark.parametrize("shift", [-5, 0, 3])
def test_no_choice_is_likelier_by_more_than_is_paid(point: Fraction, shift: int) -> None:
    """Every histogram of three bins of up to two rows, and one row more: log P/P′ of each bin, both ways. The control: at
    half of the scale it is more."""
    a, b = point.as_integer_ratio()
    scale, most, sharper = 4.0, 0.0, 0.0
    claimed = 2 * max(a, b - a) / scale
    for weights in itertools.product(range(3), repeat=3):
        before = scores(weights, point, shift, ends=True)
        for at in range(3):
            after = scores([w + (i == at) for i, w in enumerate(weights)], point, shift, ends=True)
            most = max(most, loss(before, after, scale))
            sharper = max(sharper, loss(before, after, scale / 2))
    assert most <= claimed * (1 + 1e-9)
    assert sharper > claimed


def loss(before: list[int], after: list[int], scale: float) -> float:
    return max(abs(math.log(p / q)) for p, q in zip(flipped(before, scale), flipped(after, scale), strict=True))


def test_choices_and_histograms_in_pure_epsilon_are_priced_by_their_maps_under_an_l1_norm() -> None:
    sql = "SELECT dept, QUANTILE_CONT(los_days, 0.9) FROM visits GROUP BY dept"
    single = prepare(sql, DATASET, "1", pure=True)
    assert [d.tally.side for d in single.draws] == list(Side)
    for draw in single.draws:
        assert draw.tally.norm.column == "unit_rows"
        assert draw.tally.sensitivity == 9 * 8 * 65536  # max(a, b − a), all rows of a person
        assert draw.nano_epsilon >= permute_and_flip(draw.scale).map(draw.tally.sensitivity) * 10**9
        assert draw.deviation == draw.scale
    assert {m.mechanism for m in single.quote.mechanisms} == {"permute_and_flip"}
    assert 0.999 * 10**9 < single.nano_epsilon <= 10**9
    several = prepare(
        "SELECT MEDIAN(los_days) AS a, QUANTILE_CONT(los_days, 0.9) AS b FROM visits", DATASET, "1", pure=True
    )
    (only,) = several.draws
    assert (only.mechanism, only.tally.part, only.nano_epsilon) == ("discrete_laplace", "histogram", 10**9)


def test_the_price_of_a_choice_in_pure_epsilon_grows_with_its_distance() -> None:
    """What lets groups under an l1 norm be paid as one: parts together cost no more than the whole."""
    for parts in ((1, 1, 1), (5, 70_000), (2**20, 3, 999)):
        together = mechanisms.price_of_flip(10**6, sum(parts))
        exact = [Fraction(permute_and_flip(10**6).map(p)) for p in parts]
        assert sum(exact) * 10**9 <= together


@pytest.mark.parametrize("weights", [[(1, 2)], [(1, 61)], [(9, 3), (1, 58)], [(1, 255), (9, 1)], [(2, 20), (1, 236)]])
def test_the_radius_of_a_sum_of_laplace_noise_is_kept_and_not_wide(weights: list[tuple[int, int]]) -> None:
    """Against the very distribution, by Fourier transform. The control: a normal law's radius falls short of two."""
    scale, size = 5, 2**15
    spectrum = np.ones(size // 2 + 1)
    for weight, count in weights:
        law = np.zeros(size)
        for i in range(-200, 201):
            law[i * weight % size] += math.exp(-abs(i) / scale)
        spectrum = spectrum * np.fft.rfft(law / law.sum()).real ** count
    likely = np.fft.irfft(spectrum, size)

    def missed(radius: int) -> float:
        return float(2 * likely[radius + 1 : size // 2].sum())

    radius = mechanisms.laplace_sum_radius(scale, weights, Fraction(1, 20))
    normal = 1.96 * scale * math.sqrt(2 * sum(w * w * n for w, n in weights))
    assert missed(radius) <= 0.05
    assert radius < 2 * normal
    if weights == [(1, 2)]:
        assert missed(int(normal)) > 0.05


def test_bins_are_whole_values_or_equal_widths_and_never_leave_the_bounds() -> None:
    def term(lower: int, upper: int) -> Term:
        return replace(number(Fraction(1)), type=Type(Sort.NUMBER, False, lower, upper))

    assert bins_of(term(0, 60), 256, 1).width == 1
    wide = bins_of(term(-7, 5_000_000), 2048, 1)
    assert wide.count <= 2048
    assert (wide.lowest(0), wide.highest(wide.count - 1)) == (-7, 5_000_000)
    assert (wide.lowest(-1), wide.highest(wide.count)) == (-7, 5_000_000)
    assert bins_of(term(0, 60), 2048, 5_000).count == 2


def test_a_histogram_of_nothing_gives_a_number_inside_the_bounds() -> None:
    bins = bins_of(replace(number(Fraction(1)), type=Type(Sort.NUMBER, False, 10, 20)), 256, 1)
    for noisy in ([0] * 11, [-5] * 11, [9, *([-3] * 10)], [*([-3] * 10), 9]):
        for pure in (False, True):
            value, low, high = read_off(noisy, POINTS[0], bins, radii(100, POINTS[0], bins, pure=pure))
            assert 10 <= low <= value <= high <= 20


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("QUANTILE_CONT(los_days, 0)", "query.quantile_point"),
        ("QUANTILE_CONT(los_days, 1)", "query.quantile_point"),
        ("QUANTILE_CONT(los_days, 0.1234)", "query.quantile_point"),
        ("QUANTILE_CONT(los_days, -0.5)", "query.quantile_point"),
        ("QUANTILE_CONT(los_days, change)", "query.quantile_point"),
        ("QUANTILE_CONT(los_days, [0.5])", "query.quantile_list"),
        ("MEDIAN(score)", "query.no_bounds"),
        ("MEDIAN(dept)", "query.needs_number"),
        ("MEDIAN(DISTINCT los_days)", "query.distinct_other"),
        ("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY los_days DESC)", "query.not_in_grammar"),
    ],
)
def test_what_is_not_answered_is_said_in_words_with_its_place(call: str, code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        parse(f"SELECT {call} FROM visits", DATASET)
    assert refused.value.code == code
    assert refused.value.place
