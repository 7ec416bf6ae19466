"""Several noisy tables of the same rows: nearer to the truth together, and let be where they differ in truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domicile.models.agreeing import agree, agree_means, each, resembling
from domicile.models.nearest import Array
from domicile.models.result import Given
from domicile.output.source import ATTRIBUTE
from domicile.wire.known import EstimateCard

DEPTS, PAYERS = 12, 6
ROUNDS = 30


@dataclass
class Answered:
    """An answer with one number by keys, as noise made it."""

    table: pd.DataFrame
    whole: float | None = None
    lost: float = 0.0
    name: str = "n"
    id: str = "an answer"
    spent: float = 0.1
    notes: tuple[str, ...] = field(default=())

    @property
    def quote(self) -> Any:
        parts = [(f"{self.name} (groups)", 0.0, self.lost)]
        parts += [] if self.whole is None else [(f"{self.name} (all groups)", self.whole, 0.0)]
        return SimpleNamespace(mechanisms=[SimpleNamespace(column=c, scale=s, clipped_about=a) for c, s, a in parts])

    def arrow(self) -> Any:
        raise NotImplementedError

    def frame(self) -> pd.DataFrame:
        return self.table.copy()


def told(
    cells: Array, noise: float | Array, *keys: str, name: str = "n", whole: float | None = None, lost: float = 0.0
) -> Given:
    """`cells` as they were drawn, in an order that is not the alphabet's."""
    places = np.indices(cells.shape).reshape(cells.ndim, cells.size)
    named = {key: [f"{key}{at:02}" for at in place] for key, place in zip(keys, places, strict=True)}
    made = pd.DataFrame(named, index=range(cells.size))
    made[name], made[f"{name}_se"] = cells.ravel(), np.broadcast_to(noise, cells.shape).ravel()
    made[f"{name}_low"], made[f"{name}_high"] = (
        made[name] - 2 * noise_of(made, name),
        made[name] + 2 * noise_of(made, name),
    )
    return Answered(made.iloc[::-1].reset_index(drop=True), whole, lost, name)


def noise_of(made: pd.DataFrame, name: str) -> pd.Series[float]:
    return made[f"{name}_se"]


def cells_of(frame: pd.DataFrame, *shape: int, name: str = "n") -> Array:
    found: Array = frame.sort_index(ascending=False)[name].to_numpy().reshape(shape)
    return found


def off(found: Array, truth: Array) -> float:
    return float(np.abs(found - truth).sum())


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def both(rng: np.random.Generator) -> Array:
    """Rows by department and payer: shares of payers much alike."""
    depts, payers = rng.gamma(2.0, 4_000.0, DEPTS), rng.dirichlet(np.full(PAYERS, 1.0))
    return rng.poisson(np.outer(depts, payers)).astype(float)


def test_tables_agree_and_each_is_nearer_to_the_truth(rng: np.random.Generator, both: Array) -> None:
    before, after = np.zeros(2), np.zeros(2)
    for _ in range(ROUNDS):
        one = told(both.sum(axis=1) + rng.normal(0, 200, DEPTS), 200.0, "dept")
        two = told(both + rng.normal(0, 120, both.shape), 120.0, "dept", "payer")
        by_dept, by_both = agree(one, two, column="n")
        cells = cells_of(by_both, DEPTS, PAYERS)
        assert cells.min() >= 0
        assert cells.sum(axis=1) == pytest.approx(np.maximum(cells_of(by_dept, DEPTS), 0), rel=1e-3, abs=1.0)
        raw = cells_of(two.frame(), DEPTS, PAYERS)
        before += (off(cells_of(one.frame(), DEPTS), both.sum(axis=1)), off(raw, both))
        after += (off(cells_of(by_dept, DEPTS), both.sum(axis=1)), off(cells, both))
    assert after[0] < 0.9 * before[0], "a margin is told twice"
    assert after[1] < 0.6 * before[1], "cells hardly differ from what margins make of them"


def test_the_total_is_told_by_all(rng: np.random.Generator, both: Array) -> None:
    sizes, whole = both.sum(axis=1), float(both.sum())
    before = after = 0.0
    for _ in range(ROUNDS):
        tables = [told(sizes * (1 + rng.normal(0, 2_000) / whole), 10.0, f"key{at}", whole=2_000.0) for at in range(4)]
        first = agree(*tables, column="n")[0]
        before += abs(float(tables[0].frame()["n"].sum()) - whole)
        after += abs(float(first["n"].sum()) - whole)
    assert after < 0.7 * before


@pytest.mark.parametrize("said", [0.7, 1.0, 1.3], ids=["less", "as-much", "more"])
def test_what_clips_took_of_all_is_given_back(rng: np.random.Generator, both: Array, said: float) -> None:
    """As far as quotes say: a share that is known to a third is better than none."""
    sizes = both.sum(axis=1)
    before = after = 0.0
    for _ in range(ROUNDS):
        left = [(sizes * (1 - lost) + rng.normal(0, 30, DEPTS), said * lost) for lost in (0.05, 0.1)]
        tables = [told(cells, 30.0, "dept", lost=about) for cells, about in left]
        before += abs(float(tables[0].frame()["n"].sum()) - sizes.sum())
        after += abs(float(agree(*tables, column="n")[0]["n"].sum()) - sizes.sum())
        alone = resembling(tables[1], tables[0], column="n")["n"].sum()
        assert alone == pytest.approx(left[1][0].sum() / (1 - left[1][1]))
    assert after < (0.25 if said == 1.0 else 0.6) * before


def test_cells_that_are_seen_to_differ_are_let_be(rng: np.random.Generator) -> None:
    """No man is in obstetrics, however many men and however many obstetric rows there are."""
    truth = np.array([[9_000.0, 0.0], [4_000.0, 5_000.0], [7_000.0, 8_000.0], [100.0, 6_000.0]])
    (found,) = agree(told(truth + rng.normal(0, 100, truth.shape), 100.0, "dept", "sex"), column="n")
    assert np.abs(cells_of(found, 4, 2) - truth).max() < 500


def test_means_of_few_rows_come_down_on_those_of_many(rng: np.random.Generator, both: Array) -> None:
    truth = np.broadcast_to(rng.uniform(2, 15, DEPTS)[:, None], both.shape) + rng.normal(0, 0.05, both.shape)
    noise = 4_000.0 / np.maximum(both, 1.0)
    above = 6_000.0 / both.sum(axis=1)
    group = (truth * both).sum(axis=1) / both.sum(axis=1)
    before, after = np.zeros(2), np.zeros(2)
    for _ in range(ROUNDS):
        drawn = truth + rng.normal(0, noise)
        drawn[0, 0] = np.nan  # of a group that cannot be told from nothing there is no mean
        coarse = told(group + rng.normal(0, above), above, "dept", name="los")
        by_dept, by_both = agree_means(coarse, told(drawn, noise, "dept", "payer", name="los"), column="los")
        made = cells_of(by_both, DEPTS, PAYERS, name="los")
        assert np.isfinite(made).all()
        before += (off(cells_of(coarse.frame(), DEPTS, name="los"), group), off(np.nan_to_num(drawn), truth))
        after += (off(cells_of(by_dept, DEPTS, name="los"), group), off(made, truth))
    assert after[0] < before[0]
    assert after[1] < 0.3 * before[1]


@pytest.mark.parametrize("alike", [True, False], ids=["skewed-alike", "nothing-to-do-with-it"])
def test_means_come_down_on_the_line_through_medians_as_far_as_noise_hides_them(
    rng: np.random.Generator, alike: bool
) -> None:
    groups = 20
    before = after = 0.0
    for _ in range(ROUNDS):
        truth = rng.uniform(2, 15, groups)
        medians = np.round(0.85 * truth) if alike else rng.uniform(2, 15, groups)
        noise = rng.uniform(0.2, 1.0, groups)
        drawn = truth + rng.normal(0, noise)
        above = told(drawn, noise, "dept", name="los")
        beside = told(medians, 0.5, "dept", name="los")
        cells = told(np.stack([drawn, drawn], axis=1), 50.0, "dept", "payer", name="los")
        found = agree_means(above, cells, column="los", medians=beside)[0]
        before += off(drawn, truth)
        after += off(cells_of(found, groups, name="los"), truth)
    assert after < (0.75 if alike else 1.03) * before
    with pytest.raises(ValueError, match="same keys"):
        agree_means(above, cells, column="los", medians=told(medians[1:], 0.5, "dept", name="los"))
    all_alike = agree_means(above, cells, column="los", medians=told(np.ones(groups), 0.5, "dept", name="los"))[0]
    assert cells_of(all_alike, groups, name="los") == pytest.approx(drawn, abs=0.2), (
        "control: no line through one point"
    )


def test_means_that_differ_are_let_be(rng: np.random.Generator) -> None:
    truth = rng.uniform(0, 60, (DEPTS, PAYERS))
    coarse = told(truth.mean(axis=1), 0.5, "dept", name="los")
    _, found = agree_means(coarse, told(truth, 0.5, "dept", "payer", name="los"), column="los")
    assert cells_of(found, DEPTS, PAYERS, name="los") == pytest.approx(truth, abs=0.2)


def test_some_rows_towards_the_shares_of_all_as_far_as_noise_hides_them(rng: np.random.Generator, both: Array) -> None:
    sizes = both.sum(axis=1)
    some = rng.poisson(sizes * 0.02).astype(float)
    before = after = 0.0
    for _ in range(ROUNDS):
        drawn = told(some + rng.normal(0, 60, DEPTS), 60.0, "dept")
        found = resembling(drawn, told(sizes, 50.0, "dept"), column="n")
        before += off(cells_of(drawn.frame(), DEPTS), some)
        after += off(cells_of(found, DEPTS), some)
    assert after < 0.6 * before
    other = some[::-1].copy()
    kept = resembling(told(other, 1.0, "dept"), told(sizes, 50.0, "dept"), column="n")
    assert cells_of(kept, DEPTS) == pytest.approx(other, abs=5), "what is seen is let be"


def test_clips_of_different_size_show_which_way_they_bend(rng: np.random.Generator, both: Array) -> None:
    """Two tables that lost a fifth and a half of everything, some departments more of it than others."""
    sizes = both.sum(axis=1)
    before = after = weighed = 0.0
    for _ in range(ROUNDS):
        uneven = rng.normal(0, 0.2, DEPTS)
        bent = [sizes * (1 + uneven * lost) for lost in (0.2, 0.5)]
        bent = [cells * sizes.sum() / cells.sum() for cells in bent]
        few, many = (cells + rng.normal(0, 60, DEPTS) for cells in bent)
        one, two = (told(c, 60.0, "dept", whole=200.0, lost=at) for c, at in ((few, 0.2), (many, 0.5)))
        found = cells_of(agree(one, two, column="n")[0], DEPTS)
        before += off(few, sizes)
        after += off(found, sizes)
        weighed += off((few + many) / 2, sizes)
    assert after < 0.8 * before
    assert weighed > before, "control: the mean of both is bent more than the better one"


def test_tables_that_lost_nothing_are_weighed_by_their_noise(rng: np.random.Generator, both: Array) -> None:
    sizes = both.sum(axis=1)
    drawn = [sizes + rng.normal(0, noise, DEPTS) for noise in (50, 100)]
    drawn = [cells * sizes.sum() / cells.sum() for cells in drawn]
    tables = [told(cells, noise, "dept", whole=1.0) for cells, noise in zip(drawn, (50.0, 100.0), strict=True)]
    found = cells_of(agree(*tables, column="n")[0], DEPTS)
    assert found == pytest.approx(np.maximum((4 * drawn[0] + drawn[1]) / 5, 0), rel=0.01, abs=5)


def test_rows_of_a_person_are_told_again_by_all_rows(rng: np.random.Generator, both: Array) -> None:
    sizes, persons = both.sum(axis=1), 20_000.0
    whole = float(sizes.sum())
    known = EstimateCard(value=persons, low=persons - 20, high=persons + 20)
    before = after = 0.0
    for _ in range(ROUNDS):
        mean = told(np.array(whole / persons + rng.normal(0, 0.05)), 0.05, name="n")
        tables = [told(sizes * (1 + rng.normal(0, 800) / whole), 10.0, "dept", whole=800.0) for _ in range(3)]
        before += abs(float(mean.frame()["n"].iloc[0]) - whole / persons)
        after += abs(float(each(mean, *tables, column="n", rows="n", persons=known)["n"].iloc[0]) - whole / persons)
    assert after < 0.7 * before
    nobody = EstimateCard(value=0.0, low=0.0, high=9.0)
    alone = told(np.array(5.7), 0.05)
    assert float(each(alone, told(sizes, 1.0, "dept"), column="n", rows="n", persons=nobody)["n"].iloc[0]) == 5.7
    with pytest.raises(ValueError, match="same keys"):
        each(told(sizes, 1.0, "dept"), alone, column="n", rows="n", persons=known)


def test_what_was_told_stays_beside_it(both: Array) -> None:
    answer = told(both, 50.0, "dept", "payer")
    (made,) = agree(answer, column="n")
    before = answer.frame()
    assert list(made.columns) == ["dept", "payer", "n", "n_told", "n_se", "n_low", "n_high"]
    assert list(made["n_told"]) == list(before["n"]) and list(made["dept"]) == list(before["dept"])
    assert made.attrs[ATTRIBUTE] == ["an answer"]


def test_what_does_not_fit_is_refused_in_words(both: Array) -> None:
    table = told(both, 50.0, "dept", "payer")
    with pytest.raises(ValueError, match="no `fee`"):
        agree(table, column="fee")
    with pytest.raises(ValueError, match="HAVING or LIMIT"):
        agree(Answered(table.frame().iloc[1:]), column="n")
    with pytest.raises(ValueError, match="same keys"):
        resembling(table, told(both.sum(axis=1), 50.0, "dept"), column="n")
    with pytest.raises(ValueError, match="same keys"):
        agree_means(told(both.sum(axis=0), 1.0, "ward"), table, column="n")


def test_what_belongs_to_the_rows_is_unbent_with_them(rng: np.random.Generator, both: Array) -> None:
    """Two diagnoses a visit, hardly more in one department than in another; clips bend both tables the same way."""
    sizes = both.sum(axis=1)
    before = after = 0.0
    for _ in range(ROUNDS):
        truth = 2 * sizes * (1 + rng.normal(0, 0.01, DEPTS))
        uneven = rng.normal(0, 0.1, DEPTS)
        many, less, own = (cells * (1 + uneven * lost) for cells, lost in ((sizes, 0.6), (sizes, 0.2), (truth, 0.2)))
        likes = [
            told(c + rng.normal(0, 40, DEPTS), 40.0, "dept", whole=200.0, lost=at)
            for c, at in ((many, 0.6), (less, 0.2))
        ]
        drawn = own * truth.sum() / own.sum() + rng.normal(0, 60, DEPTS)
        found = resembling(told(drawn, 60.0, "dept", whole=200.0, lost=0.2), *likes, column="n")
        before += off(drawn, truth)
        after += off(cells_of(found, DEPTS), truth)
    assert after < 0.7 * before


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize(("lost", "most"), [(0.0, 1.03), (0.2, 1.15)], ids=["not-clipped", "bent-in-its-own-way"])
def test_tables_that_do_not_resemble_each_other_are_hardly_moved(
    rng: np.random.Generator, both: Array, spread: float, lost: float, most: float
) -> None:
    """Shares and bends that have nothing to do with those of the other tables."""
    sizes = both.sum(axis=1)
    before = after = 0.0
    for _ in range(ROUNDS):
        truth = sizes.mean() * np.exp(rng.normal(0, spread, DEPTS))
        likes = [
            told(sizes * (1 + rng.normal(0, 0.1, DEPTS) * at), 60.0, "dept", whole=200.0, lost=at)
            for at in (0.1, 0.3, 0.6)
        ]
        drawn = truth * (1 + rng.normal(0, 0.1, DEPTS) * lost) + rng.normal(0, 300, DEPTS)
        found = resembling(told(drawn, 300.0, "dept", whole=1_000.0, lost=lost), *likes, column="n")
        before += off(drawn, truth)
        after += off(cells_of(found, DEPTS), truth)
    assert after < most * before


def test_a_few_that_differ_do_not_keep_all_others_from_coming_down(rng: np.random.Generator, both: Array) -> None:
    sizes = both.sum(axis=1)
    some = 0.1 * sizes
    some[np.argsort(sizes)[-2]] *= 1.5  # one large department in which much was done that month
    before, after = np.zeros(2), np.zeros(2)
    differs = np.arange(DEPTS) == np.argsort(sizes)[-2]
    for _ in range(ROUNDS):
        drawn = some + rng.normal(0, 60, DEPTS)
        found = cells_of(resembling(told(drawn, 60.0, "dept"), told(sizes, 50.0, "dept"), column="n"), DEPTS)
        for made, sums in ((drawn, before), (found, after)):
            sums += (off(made[~differs], some[~differs]), off(made[differs], some[differs]))
    assert after[0] < 0.7 * before[0], "all others come down on their shares"
    assert after[1] < 0.2 * ROUNDS * (0.5 / 1.5) * some[differs].sum(), "and what is seen to differ is let be"


def fees(rng: np.random.Generator, rows: Array, slope: float) -> tuple[Array, list[Given]]:
    """Sums of which clips take more where rows are dear, by so much; and two tables of them, by noise and clip."""
    dear = np.exp(rng.normal(0, 1.0, DEPTS))
    truth = rows * dear
    x = dear / (truth.sum() / rows.sum())
    bend = slope * (x - (truth * x).sum() / truth.sum())
    tables = []
    for lost in (0.1, 0.3):
        cells = truth * (1 + bend * lost)
        noise = 0.004 * truth.sum() * (1.0 if lost < 0.2 else 0.7)
        drawn = cells * truth.sum() / cells.sum() + rng.normal(0, noise, DEPTS)
        tables.append(told(drawn, noise, "dept", name="fee", whole=1e-3 * truth.sum(), lost=lost))
    return truth, tables


def test_sums_are_unbent_by_how_dear_a_row_is(rng: np.random.Generator, both: Array) -> None:
    rows = both.sum(axis=1)
    counts = told(rows, 50.0, "dept")
    before = after = alone = 0.0
    for _ in range(ROUNDS):
        truth, tables = fees(rng, rows, slope=-0.4)
        before += off(cells_of(tables[0].frame(), DEPTS, name="fee"), truth)
        alone += off(cells_of(agree(*tables, column="fee")[0], DEPTS, name="fee"), truth)
        after += off(cells_of(agree(*tables, column="fee", counts=counts)[0], DEPTS, name="fee"), truth)
    assert after < 0.85 * alone < 0.9 * before


def test_dear_rows_that_are_not_weighed_down_do_no_harm(rng: np.random.Generator, both: Array) -> None:
    rows = both.sum(axis=1)
    counts, wrong = told(rows, 50.0, "dept"), told(rows[::-1].copy(), 50.0, "dept")
    after = by_others = alone = 0.0
    for _ in range(ROUNDS):
        truth, tables = fees(rng, rows, slope=0.0)
        alone += off(cells_of(agree(*tables, column="fee")[0], DEPTS, name="fee"), truth)
        after += off(cells_of(agree(*tables, column="fee", counts=counts)[0], DEPTS, name="fee"), truth)
        by_others += off(cells_of(agree(*tables, column="fee", counts=wrong)[0], DEPTS, name="fee"), truth)
    assert after < 1.1 * alone
    assert by_others < 1.1 * alone


def test_rows_of_other_groups_are_refused(both: Array) -> None:
    sums = told(both.sum(axis=1), 1.0, "dept", name="fee")
    with pytest.raises(ValueError, match="same keys"):
        agree(sums, sums, column="fee", counts=told(both.sum(axis=1)[1:], 1.0, "dept"))
