"""A count by groups is told as shares of a whole where that errs less, within the same price and the same claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.persons import People
from tests.oracle.profiles import exact

from enclave.catalogue import Dataset
from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import mechanisms, prepare, scaled
from enclave.query.bounds import tallies
from enclave.query.question import parse
from enclave.query.tally import Tally

COUNT = "SELECT ward, dx, COUNT(*) AS n FROM visits GROUP BY ward, dx"
DAYS = "SELECT ward, dx, SUM(los_days) AS days FROM visits GROUP BY ward, dx"
MISS = Fraction(1, 20)
TOLD_APART = (COUNT, DAYS, "SELECT dept, dx, COUNT(*) AS n FROM visits WHERE urgent GROUP BY dept, dx")
TOLD_AT_ONCE = (
    "SELECT COUNT(*) AS n FROM visits",  # nothing to share
    "SELECT smoker, COUNT(*) AS n FROM visits v JOIN patients p USING (patient_id) GROUP BY smoker",  # too few
    "SELECT dept, SUM(change) AS c FROM visits GROUP BY dept",  # may be negative: no shares
    "SELECT dept, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY dept",
    "SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept",
    "SELECT dept, SUM(los_days) / COUNT(*) AS los FROM visits GROUP BY dept",
    "SELECT age, COUNT(*) AS n FROM patients GROUP BY age",  # one row each: nothing is clipped
)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(400, seed=11)


def known(rows: Rows, times: int) -> Dataset:
    """As if so many times these persons had been profiled without noise."""
    profile = exact(DATASET, rows)
    many = tuple(replace(h, counts=tuple(times * c for c in h.counts)) for h in profile.histograms)
    return replace(DATASET, profile=replace(profile, histograms=many))


def parts(moved: Sequence[Tally]) -> list[str]:
    return [tally.part for tally in moved]


@pytest.mark.parametrize("sql", [COUNT, TOLD_APART[-1]])
def test_groups_and_their_whole_stand_in_one_statement(rows: Rows, sql: str) -> None:
    priced = prepare(sql, known(rows, 200), "0.05")
    assert parts([d.tally for d in priced.draws]) == [scaled.SHARES, scaled.WHOLE]
    assert len(priced.statements) == 1
    groups, whole = (d.tally.norm for d in priced.draws)
    assert groups.clip <= whole.clip, "noise is little where the clip is small"
    assert groups.column == whole.column == "unit_rows", "what is weighed away is taken evenly, wherever rows fall"


@pytest.mark.parametrize("sql", TOLD_APART)
def test_counts_and_sums_of_what_is_never_negative_can_be(sql: str) -> None:
    plan = parse(sql, DATASET)
    assert parts(scaled.paired(plan, tallies(plan))) == [scaled.SHARES, scaled.WHOLE]


@pytest.mark.parametrize("sql", TOLD_AT_ONCE)
def test_others_are_told_at_once(rows: Rows, sql: str) -> None:
    moved = tallies(parse(sql, DATASET))
    assert scaled.paired(parse(sql, DATASET), moved) == moved
    assert scaled.WHOLE not in parts([d.tally for d in prepare(sql, known(rows, 40), "0.05").draws])


def test_only_where_a_paid_profile_says_that_it_errs_less(rows: Rows) -> None:
    assert len(prepare(COUNT, DATASET, "0.05").draws) == 1, "no profile"
    assert len(prepare(COUNT, known(rows, 1), "0.001").draws) == 1, "the whole would drown in its own noise"
    assert len(prepare(COUNT, known(rows, 40), None, "50").draws) == 1, "an accuracy is promised of each number"


@pytest.mark.parametrize("epsilon", ["0.05", "1"])
def test_both_parts_together_cost_what_was_asked(rows: Rows, epsilon: str) -> None:
    for sql in (*TOLD_APART, COUNT.replace("COUNT(*) AS n", "COUNT(*) AS n, SUM(los_days) AS d, AVG(los_days) AS a")):
        priced = prepare(sql, known(rows, 40), epsilon)
        assert priced.rho <= mechanisms.rho_for(epsilon, DATASET.delta)
        assert priced.rho > 0.99 * mechanisms.rho_for(epsilon, DATASET.delta)


@pytest.mark.parametrize("sql", TOLD_APART)
def test_nobody_moves_the_whole_by_more_than_its_clip(rows: Rows, sql: str) -> None:
    """Over all groups added up; the control counts the whole under the norm of its groups, which somebody exceeds."""
    plan = parse(sql, DATASET)
    moved = scaled.paired(plan, tallies(plan))
    short = tuple(replace(t, norm=replace(t.norm, clip=2)) for t in moved)
    facet = replace(tallies(plan)[0].norm, clip=2)
    wrong = tuple(replace(t, norm=facet) for t in short)
    found, control = [], []
    for person in range(60):
        mine = {table: [r for r in every if r["patient_id"] == person] for table, every in rows.items()}
        with People(DATASET, mine) as people:
            found.append(scaled.summed(list(people.vectors(plan, short)[1].values()))[0] / short[1].sensitivity)
            control.append(scaled.summed(list(people.vectors(plan, wrong)[1].values()))[0] / wrong[1].sensitivity)
    assert max(found) <= 1 and (max(found) > 0.99 or plan.where is not None)
    assert facet == short[1].norm or plan.where is not None or max(control) > 1


def test_the_whole_saturates_and_never_raises() -> None:
    assert scaled.summed([2**63 - 1, 2**63 - 1]) == [2**63 - 1]
    assert scaled.summed([-(2**63 - 1), -5]) == [-(2**63 - 1)]


def drawn_columns(groups: list[int], scale: int, whole: int, whole_scale: int) -> list[list[float | None]]:
    noisy, all_told = mechanisms.noisy(groups, scale), mechanisms.noisy([whole], whole_scale)
    return list(scaled.columns(noisy, scale, all_told, whole_scale, Fraction(WEIGHT_ONE), MISS))


@pytest.mark.parametrize("whole_scale", [50, 5_000])
def test_intervals_hold_what_would_have_been_told_without_noise(whole_scale: int) -> None:
    groups, whole = [n * WEIGHT_ONE for n in (10_000, 900, 40, 0, 3)], 14_000 * WEIGHT_ONE
    truth = [n / WEIGHT_ONE * whole / sum(groups) for n in groups]
    held = tried = 0
    for _ in range(300):
        values, errors, lows, highs = drawn_columns(groups, 60 * WEIGHT_ONE, whole, whole_scale * WEIGHT_ONE)
        for value, error, low, high, true in zip(values, errors, lows, highs, truth, strict=True):
            assert value is not None and error is not None and low is not None and high is not None
            assert low <= value <= high and error > 0
            held, tried = held + (low <= true <= high), tried + 1
    assert held >= 0.95 * tried


def test_where_the_groups_cannot_be_told_from_nothing_they_stand_as_drawn() -> None:
    values, _, lows, highs = scaled.columns([70, -30], 100, [9_999], 10, Fraction(1), MISS)
    assert values == [70, -30]
    assert lows[0] is not None and highs[0] is not None and lows[0] < 70 < highs[0] < 400


def test_shares_of_a_whole_add_up_to_it() -> None:
    values, *_ = scaled.columns([600, 300, 100], 1, [2_000], 1, Fraction(1), MISS)
    assert values == [1_200, 600, 200]
