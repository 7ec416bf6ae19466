"""U1: behind a narrow filter persons are told apart in the question, under clips made for what the filter lets through.

Attack: somebody all of whose rows pass, under a clip made for one row. Their groups and their whole stay within the clip, in
length and in sum; the control counts the whole under the length of their vector, which is shorter than its sum. Whether
persons are told apart is decided by text and paid profile: the rows are not asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.oracle.extracts import DATASET, Rows, random_rows
from tests.oracle.persons import People, length_squared
from tests.oracle.profiles import exact

from enclave.catalogue import Dataset
from enclave.catalogue.dataset import WEIGHT_ONE
from enclave.query import mechanisms, prepare, scaled
from enclave.query.bounds import tallies
from enclave.query.plan import Plan
from enclave.query.question import parse
from enclave.query.tally import EXACT, EXACT_ROWS, Norm, Style

NARROW = "SELECT dept, COUNT(*) AS n FROM visits WHERE los_days = 7 AND urgent GROUP BY dept"
WIDE = "SELECT dept, COUNT(*) AS n FROM visits WHERE los_days < 20 GROUP BY dept"
MEANS = "SELECT dept, AVG(fee) AS fee FROM visits WHERE los_days = 7 AND urgent GROUP BY dept"
OTHERS = (
    NARROW.replace("COUNT(*)", "COUNT(DISTINCT patient_id)"),
    NARROW.replace("COUNT(*)", "SUM(fee)"),
    NARROW.replace("COUNT(*)", "MEDIAN(change)"),
)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return random_rows(300, seed=23)


@pytest.fixture(scope="module")
def paid(rows: Rows) -> Dataset:
    """As if two hundred times these persons had been profiled without noise."""
    profile = exact(DATASET, rows)
    many = tuple(replace(h, counts=tuple(200 * c for c in h.counts)) for h in profile.histograms)
    return replace(DATASET, profile=replace(profile, histograms=many))


def told_apart(sql: str) -> Plan:
    return replace(parse(sql, DATASET), apart=True)


def test_persons_are_told_apart_behind_a_narrow_filter_alone(paid: Dataset) -> None:
    assert prepare(NARROW, paid, "1").plan.apart and prepare(MEANS, paid, "1").plan.apart
    assert not prepare(WIDE, paid, "1").plan.apart
    assert not prepare(NARROW, DATASET, "1").plan.apart, "nothing was paid that tells"
    assert not prepare(NARROW, paid, None, "50").plan.apart, "an accuracy is of the noise, and priced as it was"
    for sql in OTHERS:
        assert not prepare(sql, paid, "1").plan.apart


def test_who_is_too_many_to_be_told_apart_is_weighed_by_what_is_stored(paid: Dataset) -> None:
    large = replace(paid, size_class=10**8)
    assert not prepare(NARROW, large, "1").plan.apart
    assert prepare(NARROW, large, "1").reply_ms >= prepare(WIDE, large, "1").reply_ms


def persons(rows: Rows) -> Iterator[Rows]:
    """One at a time; every visit of theirs passes the filter."""
    for person in range(60):
        mine = {table: [dict(r) for r in every if r["patient_id"] == person] for table, every in rows.items()}
        for visit in mine["visits"]:
            visit["los_days"], visit["urgent"] = 7, True
        yield mine


@pytest.mark.parametrize("clip", [1, 2, 5])
def test_nobody_moves_groups_or_whole_by_more_than_their_clips(rows: Rows, clip: int) -> None:
    plan = told_apart(NARROW)
    groups, whole = (
        replace(t, norm=replace(t.norm, clip=c))
        for t, c in zip(scaled.paired(plan, tallies(plan)), (clip, 2 * clip), strict=True)
    )
    assert groups.style is Style.EXACT and groups.norm.column == whole.norm.column == EXACT_ROWS
    wrong = replace(whole, norm=Norm(EXACT, 2 * clip))
    found, control = [], []
    for mine in persons(rows):
        with People(DATASET, mine) as people:
            by_group, together = people.vectors(plan, (groups, whole))
            found.append((length_squared(by_group) ** 0.5 / groups.sensitivity, _sum(together) / whole.sensitivity))
            control.append(_sum(people.vectors(plan, (wrong,))[0]) / wrong.sensitivity)
    assert max(f for f, _ in found) <= 1
    assert 0.99 < max(f for _, f in found) <= 1
    assert max(control) > 1


@pytest.mark.parametrize("counted", ["*", "change"])
@pytest.mark.parametrize("clip", [1, 2, 3])
def test_every_row_weighs_what_its_person_leaves_it(rows: Rows, clip: int, counted: str) -> None:
    """In whole numbers: C·65536 // n where n rows of the person pass, more than C of them."""
    plan = told_apart(NARROW.replace("COUNT(*)", f"COUNT({counted})").replace("los_days = 7", "los_days < 15"))
    passing = [r for r in rows["visits"] if r["los_days"] in range(15) and r["urgent"]]
    mine = Counter(r["patient_id"] for r in passing)
    expected = Counter[tuple[object, ...]]()
    for row in passing:
        if counted == "*" or row[counted] is not None:
            n = mine[row["patient_id"]]
            expected[(row["dept"],)] += WEIGHT_ONE if n <= clip else clip * WEIGHT_ONE // n
    groups = replace(scaled.paired(plan, tallies(plan))[0], norm=Norm(EXACT_ROWS, clip))
    with People(DATASET, rows) as people:
        (told,) = people.vectors(plan, (groups,))
    assert max(mine.values()) > clip
    assert {key: n for key, n in told.items() if n} == {key: n for key, n in expected.items() if n}


def _sum(cells: dict[tuple[object, ...], int]) -> int:
    return scaled.summed(list(cells.values()))[0]


def test_means_keep_the_claim_too(rows: Rows) -> None:
    plan = told_apart(MEANS)
    moved = tuple(replace(t, norm=replace(t.norm, clip=2)) for t in tallies(plan))
    for mine in persons(rows):
        with People(DATASET, mine) as people:
            for cells, tally in zip(people.vectors(plan, moved), moved, strict=True):
                assert length_squared(cells) <= tally.sensitivity**2


def test_it_costs_no_more_than_was_asked(paid: Dataset) -> None:
    for sql in (NARROW, MEANS):
        assert prepare(sql, paid, "0.3").rho <= mechanisms.rho_for("0.3", paid.delta)
