"""The line: least squares without noise; with noise, intervals that cover as they say, or no line at all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from domicile.models.gram import ONE, Gram, Scale, Slot
from domicile.models.nearest import Array
from domicile.models.regression import Line, fitted

SLOTS: list[Slot] = [ONE, ("age", None), ("sex", "F"), ("sex", "M"), ("urgent", "true")]
OUTCOME: Slot = ("days", None)
TRUTH = np.array([-0.7, 0.06, 0.07, -0.04])
ON = [ONE, ("age", None), ("sex", "M"), ("urgent", "true")]
REPEATS = 250


def people(draw: np.random.Generator, count: int) -> dict[Slot, Array]:
    """z of an age, a sex (of three), a flag, and days that depend on all of them."""
    age, sex, urgent = draw.uniform(-1, 1, count), draw.integers(0, 3, count), draw.random(count) < 0.3
    days = -0.7 + 0.06 * age + 0.07 * (sex == 1) - 0.04 * urgent + draw.uniform(-0.2, 0.2, count)
    slots = zip(SLOTS, (np.ones(count), age, sex == 0, sex == 1, urgent), strict=True)
    return {slot: np.asarray(values, dtype=float) for slot, values in slots} | {OUTCOME: days}


def told(z: Mapping[Slot, Array], noise: float, draw: np.random.Generator) -> Gram:
    """The answer of SSCP to these people, by its definition."""
    numbers = {("age", None): Scale(45, 45), OUTCOME: Scale(30, 30)}
    entries = [(ONE, ONE), *((ONE, s) for s in z if s != ONE), *((s, s) for s in numbers)]
    entries += [(a, b) for a, b in itertools.combinations([s for s in z if s != ONE], 2) if a[0] != b[0]]
    totals = {}
    for a, b in entries:
        shift = 0.5 * len(z[ONE]) if a == b != ONE else 0.0
        totals[a, b] = float(z[a] @ z[b]) - shift + draw.normal(0, noise)
    return Gram(totals, noise, numbers)


def line(found: Line | float) -> Line:
    assert isinstance(found, Line), found
    return found


def test_without_noise_it_is_least_squares() -> None:
    draw = np.random.default_rng(1)
    z = people(draw, 400)
    x, y = np.column_stack([z[s] for s in ON]), z[OUTCOME]
    beta, (rss,), *_ = np.linalg.lstsq(x, y, rcond=None)
    found = line(fitted(told(z, 0.0, draw), ON, OUTCOME))
    assert found.beta == pytest.approx(beta)
    variance = rss / (400 - 4)
    assert found.sampling == pytest.approx(variance * np.linalg.inv(x.T @ x))
    assert not found.noise.any()
    assert found.residual.value == pytest.approx(math.sqrt(variance))
    assert found.explained.value == pytest.approx(1 - rss / ((y - y.mean()) @ (y - y.mean())))
    assert found.rows.value == pytest.approx(400)


def test_the_covariance_by_noise_is_what_noise_does() -> None:
    draw = np.random.default_rng(2)
    z = people(draw, 4_000)
    exact = line(fitted(told(z, 0.0, draw), ON, OUTCOME))
    found = [line(fitted(told(z, 3.0, draw), ON, OUTCOME)) for _ in range(600)]
    said, seen = np.mean([f.noise for f in found], axis=0), np.cov([f.beta for f in found], rowvar=False)
    size = np.sqrt(np.diag(said))
    assert seen / np.outer(size, size) == pytest.approx(said / np.outer(size, size), abs=0.25)
    for name in ("explained", "residual"):
        spread = np.std([getattr(f, name).value for f in found])
        assert np.median([getattr(f, name).noise for f in found]) == pytest.approx(spread, rel=0.2)
        assert np.mean([getattr(f, name).value for f in found]) == pytest.approx(getattr(exact, name).value, abs=spread)


@pytest.mark.parametrize(("count", "noise"), [(300, 0.0), (1_000, 5.0), (3_000, 20.0), (3_000, 80.0)])
def test_intervals_cover_as_they_say(count: int, noise: float) -> None:
    draw, covered, given = np.random.default_rng(3), np.zeros(4), 0
    for _ in range(REPEATS):
        found = fitted(told(people(draw, count), noise, draw), ON, OUTCOME)
        if isinstance(found, Line):
            spread = np.sqrt(np.diag(found.noise + found.sampling))
            covered += np.abs(found.beta - TRUTH) <= 1.96 * spread
            given += 1
    assert given > 0.8 * REPEATS
    assert (covered / given > 0.95 - 4 * math.sqrt(0.05 * 0.95 / given)).all(), covered / given


def test_control_errors_of_sampling_alone_cover_too_little() -> None:
    draw, covered = np.random.default_rng(4), np.zeros(4)
    for _ in range(60):
        found = line(fitted(told(people(draw, 3_000), 20.0, draw), ON, OUTCOME))
        covered += np.abs(found.beta - TRUTH) <= 1.96 * np.sqrt(np.diag(found.sampling))
    assert (covered < 0.6 * 60).all()


@pytest.mark.parametrize("count", [30, 300, 3_000])
def test_where_noise_is_as_large_as_what_is_known_there_is_no_line(count: int) -> None:
    draw = np.random.default_rng(5)
    found = [fitted(told(people(draw, count), 4.0 * count, draw), ON, OUTCOME) for _ in range(80)]
    assert not any(isinstance(f, Line) for f in found)
    assert all(isinstance(f, float) and f > 0.5 for f in found)


def test_two_columns_that_say_the_same_have_no_line() -> None:
    draw = np.random.default_rng(6)
    z = people(draw, 5_000)
    z[("urgent", "true")] = z[("sex", "M")].copy()
    assert isinstance(fitted(told(z, 1.0, draw), ON, OUTCOME), float)


def test_a_condition_may_be_the_outcome() -> None:
    draw = np.random.default_rng(7)
    z = people(draw, 2_000)
    on = [ONE, ("age", None), ("sex", "M")]
    beta = np.linalg.lstsq(np.column_stack([z[s] for s in on]), z["urgent", "true"], rcond=None)[0]
    assert line(fitted(told(z, 0.0, draw), on, ("urgent", "true"))).beta == pytest.approx(beta)


def test_places_of_codes_and_squares() -> None:
    gram = told(people(np.random.default_rng(8), 10), 0.0, np.random.default_rng(8))
    assert gram.variables == ["age", "sex", "urgent", "days"]
    assert gram.codes("sex") == ["F", "M"]
    assert gram.codes("age") == []
    whole = gram.matrix([*SLOTS, OUTCOME])
    assert whole == pytest.approx(whole.T)
    assert whole[2, 3] == 0
    assert whole[2, 2] == whole[0, 2]
    assert replace(gram, noise=1.0).slots == [*SLOTS, OUTCOME]
