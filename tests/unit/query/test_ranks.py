"""Quantiles by accuracy: estimated where the variable was profiled, near enough as often as was asked, refused elsewhere."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.persons import People
from tests.oracle.profiles import exact

from enclave.catalogue.dataset import Dataset
from enclave.catalogue.profile import PERSON
from enclave.errors import Refused
from enclave.query import Engine, Priced, execute, quantiles
from enclave.query.price import prepare
from enclave.query.tally import Bins, Side, Tally


def spread_out(rows: Rows, seed: int) -> Rows:
    """With values that lie as stays, changes and ages do, none of them where a third of all are."""
    draw = random.Random(seed)
    for visit in rows["visits"]:
        visit["los_days"] = min(60, int(draw.expovariate(1 / 8)))
        visit["change"] = max(-9, min(9, round(draw.gauss(0, 4))))
        visit["fee"] = min(5_000_000, int(draw.lognormvariate(12.5, 1.0)))
    for patient in rows["patients"]:
        patient["age"] = draw.choice([None, *range(10, 91)])
    return rows


ROWS = spread_out(random_rows(600, seed=22), seed=3)
PAID = replace(DATASET, profile=exact(DATASET, ROWS))
CHOICES = {
    "SELECT MEDIAN(los_days) AS q FROM visits": "1",
    "SELECT QUANTILE_CONT(los_days, 0.9) AS q FROM visits": "3",
    "SELECT QUANTILE_CONT(change, 0.25) AS q FROM visits WHERE urgent": "1",
    "SELECT MEDIAN(fee) AS q FROM visits": "2000",
    "SELECT urgent, MEDIAN(los_days) AS q FROM visits GROUP BY urgent": "2",
    "SELECT MEDIAN(age) AS q FROM patients": "9",
}
SEVERAL = (
    "SELECT QUANTILE_CONT(los_days, 0.25) AS a, MEDIAN(los_days) AS b, QUANTILE_CONT(los_days, 0.9) AS c FROM visits"
)
TIMES = 400


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(PAID, ROWS) as made:
        yield made


def largest(people: People, priced: Priced, tally: Tally) -> list[int]:
    """The exact histogram of the largest group."""
    assert tally.bins is not None
    (cells,) = people.vectors(priced.plan, (tally,))
    groups: dict[tuple[object, ...], list[int]] = {}
    for key, total in cells.items():
        if key[-1] is not None:
            groups.setdefault(key[:-1], [0] * tally.bins.count)[int(str(key[-1]))] = total
    return max(groups.values(), key=sum)


def middle(bins: Bins, scores: list[int]) -> float:
    return bins.middle(int(np.argmax(scores)))


def missed(people: People, sql: str, within: str, stretch: int = 1, *, pure: bool = False) -> float:
    """How often the choice lies further from the quantile than was asked, in a group of average size or more."""
    priced = prepare(sql, PAID, None, within, pure=pure)
    draw = next(d for d in priced.draws if d.tally.side is Side.POINT)
    bins, aggregate = draw.tally.bins, priced.plan.aggregates[0]
    assert bins is not None and aggregate.point is not None and aggregate.term is not None
    found = quantiles.scores(largest(people, priced, draw.tally), aggregate.point)
    chance, truth = np.random.default_rng(4), middle(bins, found)
    size = (TIMES, len(found))
    noise = chance.exponential(1.0, size) if pure else chance.gumbel(0.0, 1.0, size)
    told = np.argmax(np.array(found, dtype=float) + stretch * draw.scale * noise, axis=1)
    far = float(Fraction(within) * aggregate.term.type.scale)
    return float(np.mean([abs(bins.middle(int(at)) - truth) > far for at in told]))


@pytest.mark.parametrize("sql", CHOICES)
@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_a_quantile_of_a_group_of_average_size_stays_within_what_was_asked(
    people: People, sql: str, pure: bool
) -> None:
    """5 of 100 may miss; the values of a group lie a little otherwise than those of all persons, so up to twice that is let
    pass."""
    assert missed(people, sql, CHOICES[sql], pure=pure) < 0.1
    coarser = missed(people, sql, CHOICES[sql], stretch=4, pure=pure)
    assert coarser > 0.2, "the control: coarser noise does not"


@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_several_of_one_histogram_each_stay_within_it(people: People, pure: bool) -> None:
    priced = prepare(SEVERAL, PAID, None, "2", pure=pure)
    (draw,) = priced.draws
    bins = draw.tally.bins
    assert bins is not None
    exact_bins, chance = np.array(largest(people, priced, draw.tally)), np.random.default_rng(5)
    coarser = []
    for aggregate in priced.plan.aggregates:
        assert aggregate.point is not None
        radius = quantiles.radii(draw.scale, aggregate.point, bins, pure=pure)
        truth, *_ = quantiles.read_off(exact_bins.tolist(), aggregate.point, bins, radius)
        shares = []
        for stretch in (1, 12):
            size = (TIMES, exact_bins.size)
            scale = stretch * draw.scale
            noise = chance.laplace(0, scale, size) if pure else chance.normal(0, scale, size)
            drawn = (exact_bins + np.rint(noise).astype(int)).tolist()
            told = [quantiles.read_off(one, aggregate.point, bins, radius)[0] for one in drawn]
            shares.append(np.mean([abs(t - truth) > 2 for t in told]))
        assert shares[0] < 0.05
        coarser.append(shares[1])
    assert max(coarser) > 0.2, "the control: coarser noise does not"


@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_it_is_answered_like_any_other(engine: Engine, pure: bool) -> None:
    """Of a small extract; the profile is that of a larger one."""
    sql = "SELECT urgent, MEDIAN(los_days) AS q FROM visits GROUP BY urgent"
    priced = prepare(sql, PAID, None, "2", pure=pure)
    assert (priced.nano_epsilon > 0) is pure and priced.rho > 0
    done = execute(priced, engine)
    assert not done.incident
    for row in pa.ipc.open_stream(done.body).read_all().to_pylist():
        assert 0 <= row["q_low"] <= row["q"] <= row["q_high"] <= 60


def test_what_is_estimated_is_said_and_the_ends_stand_as_they_do_at_a_price() -> None:
    sql = "SELECT MEDIAN(los_days) AS q FROM visits"
    for pure, ratio in ((False, 3**0.5), (True, 16 / 7)):
        quote = prepare(sql, PAID, None, "4", pure=pure).quote
        said = {m.column: "accuracy estimated for groups of about" in m.bound for m in quote.mechanisms}
        assert said == {"q (choice)": True, "q (lower end)": False, "q (upper end)": False}
        scales = {m.column: m.scale for m in quote.mechanisms}
        assert scales["q (lower end)"] / scales["q (choice)"] == pytest.approx(ratio, rel=1e-3)


def test_finer_costs_more_and_more_groups_more_again() -> None:
    median, by = (
        "SELECT MEDIAN(los_days) AS q FROM visits",
        "SELECT dept, MEDIAN(los_days) AS q FROM visits GROUP BY dept",
    )
    rhos = [prepare(sql, PAID, None, within).rho for sql, within in ((median, "8"), (median, "4"), (by, "4"))]
    assert rhos == sorted(rhos) and rhos[0] < rhos[1] < rhos[2]


@pytest.mark.parametrize(
    ("within", "code"), [("10", "query.accuracy_too_fine"), ("60000", "query.accuracy_too_coarse")]
)
def test_finer_than_public_bins_and_coarser_than_the_bounds_is_refused(within: str, code: str) -> None:
    with pytest.raises(Refused) as no:
        prepare("SELECT MEDIAN(fee) AS q FROM visits", PAID, None, within)
    assert no.value.code == code


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT MEDIAN(los_days + 1) AS q FROM visits",
        "SELECT MEDIAN(n) AS q FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
        "SELECT MEDIAN(p.age) AS q FROM visits v JOIN patients p USING (patient_id)",
        "SELECT STDDEV(los_days) AS s FROM visits",
    ],
)
def test_what_nothing_bought_tells_of_is_refused(sql: str) -> None:
    assert prepare(sql, PAID, "1").rho > 0, "the control: it is a question"
    with pytest.raises(Refused) as no:
        prepare(sql, PAID, None, "3")
    assert no.value.code == "query.accuracy_of_others"
    with pytest.raises(Refused):
        prepare("SELECT MEDIAN(los_days) AS q FROM visits", DATASET, None, "3")


def test_where_nearly_all_miss_a_value_nothing_is_estimated() -> None:
    """The noise of few others may lie below 0 everywhere, and no quantile is where nobody is: there was no word for it."""
    profile = exact(DATASET, ROWS)

    def all_missing(others: int) -> Dataset:
        lost = (
            replace(h, counts=(*(others for _ in h.counts[1:]), 600 * PERSON)) if h.column == "los_days" else h
            for h in profile.histograms
        )
        return replace(DATASET, profile=replace(profile, histograms=tuple(lost)))

    for pure in (False, True):
        for others in (-1, 0):
            with pytest.raises(Refused) as no:
                prepare("SELECT MEDIAN(los_days) AS q FROM visits", all_missing(others), None, "3", pure=pure)
            assert no.value.code == "query.accuracy_of_others"
        asked = prepare("SELECT MEDIAN(los_days) AS q FROM visits", all_missing(9 * PERSON), None, "10", pure=pure)
        assert asked.rho > 0, "the control: that many lie evenly"
