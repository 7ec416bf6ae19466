"""What the paid numbers say: the truth where they are exact, intervals that hold where they are not, nothing where there are
too few."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from statistics import fmean, pstdev

import pytest
from tests.oracle import profiles
from tests.oracle.extracts import DATASET, Rows, random_rows

from domicile.wire.known import EstimateCard, SummaryCard
from enclave.catalogue import Profile
from enclave.catalogue.profile import PERSON, Histogram, Of
from enclave.profile import summaries

ROWS = random_rows(800, seed=5)
EXACT = profiles.exact(DATASET, ROWS)
DRAWS = 120


def told(profile: Profile) -> dict[str, SummaryCard]:
    return {f"{s.table}.{s.variable}": s for s in summaries(replace(DATASET, profile=profile))}


def weighed(rows: Rows, table: str, column: str) -> list[tuple[object, float]]:
    """(value, weight) of every row, a person weighing 1 over all of theirs."""
    mine: dict[object, int] = {}
    for row in rows[table]:
        mine[row["patient_id"]] = mine.get(row["patient_id"], 0) + 1
    return [(row[column], float(Fraction(1, mine[row["patient_id"]]))) for row in rows[table]]


def noisy(profile: Profile, deviation: float, seed: int) -> Profile:
    draw = random.Random(seed)

    def shaken(histogram: Histogram) -> Histogram:
        counts = tuple(round(c + draw.gauss(0, deviation * PERSON)) for c in histogram.counts)
        return replace(histogram, counts=counts, scale=round(deviation * PERSON))

    return replace(profile, histograms=tuple(map(shaken, profile.histograms)))


def test_nothing_bought_nothing_shown() -> None:
    assert summaries(DATASET) == ()


def test_exact_numbers_are_told_as_they_are() -> None:
    shown = told(EXACT)
    rows = weighed(ROWS, "visits", "dept")
    persons = len({row["patient_id"] for row in ROWS["visits"]})
    dept = shown["visits.dept"]
    assert dept.persons.value == pytest.approx(persons, abs=0.1)
    assert dept.missing.value == pytest.approx(sum(w for v, w in rows if v is None) / persons, abs=1e-4)
    assert {one.label: one.persons.value for one in dept.bins} == pytest.approx(
        {code: sum(w for v, w in rows if v == code) for code in "ABCDEF"}, abs=0.01
    )
    assert [one.label for one in shown["patients.smoker"].bins] == ["false", "true"]


def test_quantiles_and_means_are_those_of_the_rows() -> None:
    shown = told(EXACT)["visits.los_days"]
    rows = sorted((int(str(v)), w) for v, w in weighed(ROWS, "visits", "los_days") if v is not None)
    whole = sum(w for _, w in rows)
    assert shown.mean is not None and shown.mean.value == pytest.approx(sum(v * w for v, w in rows) / whole, abs=0.01)
    for one in shown.quantiles:
        below, middle = 0.0, 0
        for value, weight in rows:
            below += weight
            if below >= one.share * whole:
                middle = value
                break
        assert isinstance(one.low, float) and isinstance(one.high, float) and one.low <= middle <= one.high


def test_figures_are_in_the_units_of_people() -> None:
    shown = told(EXACT)
    fee, day = shown["visits.fee"], shown["visits.admitted_on"]
    assert fee.mean is not None and 0 <= fee.mean.value <= 50_000, "stored in hundredths"
    assert all(isinstance(one.value, str) and "2021-01-01" <= one.value <= "2025-01-01" for one in day.quantiles)
    assert day.mean is None


def held(interval: EstimateCard, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def trials() -> Iterator[dict[str, SummaryCard]]:
    yield from (told(noisy(EXACT, 12.0, seed)) for seed in range(DRAWS))


def test_intervals_hold_what_they_promise() -> None:
    """95 % of the noise; of 120 draws fewer than 105 would hold once in 10,000."""
    truth = told(EXACT)
    kept: dict[str, list[bool]] = {}
    for shown in trials():
        for name, summary in shown.items():
            exact = truth[name]
            kept.setdefault("persons", []).append(held(summary.persons, exact.persons.value))
            kept.setdefault("missing", []).append(held(summary.missing, exact.missing.value))
            kept.setdefault("bin", []).extend(
                held(a.persons, b.persons.value) for a, b in zip(summary.bins, exact.bins, strict=True)
            )
            if summary.mean is not None and exact.mean is not None:
                kept.setdefault("mean", []).append(held(summary.mean, exact.mean.value))
            for a, b in zip(summary.quantiles, exact.quantiles, strict=False):
                kept.setdefault("quantile", []).append(a.low <= b.high and b.low <= a.high)  # type: ignore[operator]
    assert all(fmean(found) > 0.92 for found in kept.values()), {k: fmean(v) for k, v in kept.items()}
    assert fmean(kept["bin"]) < 0.995, "the control: they are not just wide"


def test_persons_are_told_by_norms_as_well() -> None:
    persons = len({row["patient_id"] for row in ROWS["visits"]})
    off, alone = [], []
    for seed in range(DRAWS):
        paid = noisy(EXACT, 12.0, seed)
        by_values = replace(paid, histograms=tuple(h for h in paid.histograms if h.of is Of.VARIABLE))
        found, without = told(paid)["visits.dept"].persons, told(by_values)["visits.dept"].persons
        assert found.high - found.low < without.high - without.low
        off.append(found.value - persons)
        alone.append(without.value - persons)
        assert abs(found.value - persons) < 2.5 * (found.high - found.low) / 2
    assert pstdev(off) < 0.8 * pstdev(alone)
    assert abs(fmean(off)) < pstdev(off)


def test_too_few_persons_are_said_to_be_too_few() -> None:
    few = told(noisy(profiles.exact(DATASET, random_rows(20, seed=1)), 400.0, seed=2))["visits.los_days"]
    assert not few.clear and few.quantiles == () and few.mean is None


def test_no_figure_is_below_nothing_or_above_all() -> None:
    for shown in told(noisy(EXACT, 60.0, seed=9)).values():
        assert shown.missing.low >= 0 and shown.missing.high <= 1
        assert all(0 <= one.persons.low <= one.persons.value <= one.persons.high for one in shown.bins)
