"""The advisor estimates what a clip takes, and weighs it against noise."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from enclave.catalogue import Histogram, Of
from enclave.catalogue.profile import PERSON
from enclave.profile import Aim, Goal, chosen, curve_of, curve_of_some, sufficient
from enclave.profile.bins import rows_edges
from enclave.profile.shape import crowd, is_faint, likely

Norms = Counter[int]
"""Norm → how many persons have it."""


@cache
def visits(persons: int, seed: int = 1, spread: float = 1.0) -> Norms:
    draw = random.Random(seed)
    return Counter(max(1, int(math.exp(draw.gauss(1.2, spread)))) for _ in range(persons))


def histogram(norms: Norms, noise: float, seed: int = 2, clip: int = 40) -> Histogram:
    """Persons by bins with Gaussian noise of so many persons."""
    edges, draw = rows_edges(clip), random.Random(seed)
    counts = [0] * (len(edges) + 1)
    for norm, persons in norms.items():
        counts[bisect_left(edges, norm)] += persons
    noisy = tuple(round(PERSON * (count + draw.gauss(0, noise))) for count in counts)
    return Histogram("visits", "unit_rows", Of.NORM, edges, noisy, max(1, round(PERSON * noise)))


def lost(norms: Norms, clip: int) -> float:
    return float(sum(persons * max(0, norm - clip) for norm, persons in norms.items()))


def whole(norms: Norms) -> int:
    return sum(norm * persons for norm, persons in norms.items())


def aim(noise: float, groups: float = 20) -> Aim:
    return Aim(Goal.TOTAL, noise, groups)


def best(norms: Norms, wanted: Aim, clips: tuple[int, ...]) -> tuple[int, float]:
    """The clip with the least true error, and that error."""
    errors = {clip: math.hypot(lost(norms, clip) / wanted.groups, wanted.noise * clip) for clip in clips}
    found = min(errors, key=errors.__getitem__)
    return found, errors[found]


def test_without_noise_the_curve_is_what_clipping_takes() -> None:
    norms = visits(20_000)
    curve = curve_of(histogram(norms, 1e-4))
    assert curve is not None
    assert curve.whole == pytest.approx(whole(norms), rel=0.02)
    for clip in (1, 4, 8, 16, 24, 48):
        assert curve.at(clip) == pytest.approx(lost(norms, clip), rel=0.06)


@pytest.mark.parametrize("column", ["unit_rows", "norm_dept"])
def test_within_a_bin_persons_stand_as_the_lognormal_has_them(column: str) -> None:
    """Rows are whole numbers, other norms are not; nobody is lost between bins, nor moved to another."""
    told = replace(histogram(visits(20_000), 20), column=column)
    norms, persons = crowd(told)
    edges = (0, *told.edges, 2 * told.edges[-1])
    assert persons.sum() == pytest.approx(sum(likely(told)))
    for low, high, expected in zip(edges[:-1], edges[1:], likely(told), strict=True):
        within = (norms > low) & (norms <= high + (column == "unit_rows") / 2)
        assert persons[within].sum() == pytest.approx(expected)
        if high > 24:
            assert (persons * norms)[within].sum() < persons[within].sum() * (low + high) / 2, "few have much"
    small = norms[norms < 30]
    assert (column == "unit_rows") == all(norm == int(norm) for norm in small)


def test_what_a_clip_takes_falls_with_it() -> None:
    curve = curve_of(histogram(visits(20_000), 30))
    assert curve is not None
    assert all(a >= b for a, b in pairwise(curve.lost)) and curve.lost[-1] >= 0
    assert curve.at(9) == pytest.approx((curve.at(8) + curve.at(10)) / 2)


@pytest.mark.parametrize(("persons", "blur", "within"), [(4_000, 60, 1.75), (200_000, 60, 1.3), (200_000, 6, 1.15)])
@pytest.mark.parametrize("noise", [10.0, 60.0], ids=["usual", "blunt"])
@pytest.mark.parametrize("spread", [0.6, 1.0], ids=["even", "skewed"])
def test_the_choice_is_nearly_the_best_there_is(
    persons: int, blur: float, within: float, noise: float, spread: float
) -> None:
    """By a profile with so much noise in each number of persons: hardly above the least true error of any clip."""
    norms, wanted = visits(persons, spread=spread), aim(noise)
    for seed in range(5):
        curve = curve_of(histogram(norms, blur, seed))
        assert curve is not None
        clip = chosen(curve, [wanted])
        made = math.hypot(lost(norms, clip) / wanted.groups, wanted.noise * clip)
        assert made <= within * best(norms, wanted, curve.clips)[1]


def test_more_noise_asks_for_a_smaller_clip_and_more_persons_for_a_larger() -> None:
    few, many = (curve_of(histogram(visits(n), 10)) for n in (5_000, 200_000))
    assert few is not None and many is not None
    by_noise = [chosen(many, [aim(noise)]) for noise in (1, 4, 16, 64, 256)]
    assert by_noise == sorted(by_noise, reverse=True) and by_noise[0] > by_noise[-1]
    assert chosen(few, [aim(10)]) < chosen(many, [aim(10)])


def test_a_filter_that_few_rows_pass_asks_for_a_smaller_clip() -> None:
    curve = curve_of(histogram(visits(200_000), 10))
    assert curve is not None
    assert chosen(curve, [Aim(Goal.TOTAL, 10, 20, share=0.01)]) < chosen(curve, [Aim(Goal.TOTAL, 10, 20)])


def test_a_mean_asks_for_less_than_a_count() -> None:
    """Weighing somebody down hardly moves a mean, noise does."""
    curve = curve_of(histogram(visits(200_000), 10))
    assert curve is not None
    assert chosen(curve, [Aim(Goal.PROPORTION, 10, 20)]) < chosen(curve, [aim(10)])


def test_between_two_aims_lies_a_compromise() -> None:
    curve = curve_of(histogram(visits(200_000), 10))
    assert curve is not None
    small, large = chosen(curve, [aim(60)]), chosen(curve, [aim(2)])
    assert small <= chosen(curve, [aim(60), aim(2)]) <= large


def test_for_a_stated_noise_the_least_clip_whose_bias_stays_within() -> None:
    norms = visits(200_000)
    curve = curve_of(histogram(norms, 10))
    assert curve is not None
    clip = sufficient(curve, [aim(100)])
    below = curve.clips[curve.clips.index(clip) - 1]
    assert curve.at(clip) / 20 <= 100 < curve.at(below) / 20
    assert lost(norms, clip) / 20 < 150


def test_a_faint_histogram_says_nothing() -> None:
    faint = histogram(visits(100), 60)
    assert is_faint(faint) and curve_of(faint) is None
    assert curve_of(histogram(visits(100), 1)) is not None, "the control"


def test_a_sharp_histogram_is_believed_and_a_blunt_one_is_shaped() -> None:
    norms = visits(200_000)
    told, sharp = histogram(norms, 0.01), likely(histogram(norms, 0.01))
    assert sharp == pytest.approx(tuple(max(p, 0.0) for p in told.persons), abs=1)
    blunt = likely(histogram(visits(3_000), 60))
    assert min(blunt) >= 0 and sum(blunt[-4:]) < 60, "no crowd beyond what anybody has"


def test_the_same_histogram_gives_the_same_choice() -> None:
    one, other = histogram(visits(4_000), 60), histogram(visits(4_000), 60)
    assert one == other and likely(one) == likely(other)
    curves = curve_of(one), curve_of(other)
    assert curves[0] == curves[1]


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_of_the_rows_a_filter_lets_through_a_clip_takes_what_it_takes_of_poisson_numbers(share: float) -> None:
    """Against rows that were let through one by one."""
    drawn = random.Random(3)
    rows = [min(200, max(1, round(drawn.lognormvariate(1.5, 1.0)))) for _ in range(4_000)]
    edges = rows_edges(40)
    counts = [0] * (len(edges) + 1)
    for n in rows:
        counts[next((at for at, edge in enumerate(edges) if n <= edge), len(edges))] += 1
    curve = curve_of_some(Histogram("visits", "unit_rows", Of.NORM, edges, tuple(c * PERSON for c in counts), 1), share)
    assert curve is not None
    left = [sum(drawn.random() < share for _ in range(n)) for n in rows for _ in range(5)]
    assert curve.whole == pytest.approx(sum(left) / 5, rel=0.1)
    for clip in (1, 2, 5, 10):
        taken = sum(max(n - clip, 0) for n in left) / 5
        assert curve.at(clip) == pytest.approx(taken, rel=0.2, abs=0.01 * curve.whole)


def test_so_few_pass_that_the_clip_is_one_row() -> None:
    edges = rows_edges(40)
    histogram = Histogram(
        "visits", "unit_rows", Of.NORM, edges, tuple(10_000 * PERSON for _ in range(len(edges) + 1)), 1
    )
    some = curve_of_some(histogram, 0.001)
    assert some is not None
    assert some.at(1) < some.whole / 5
    assert chosen(some, [Aim(Goal.TOTAL, 500.0, 20.0)]) == 1
