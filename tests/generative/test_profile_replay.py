"""What a profile tells, and what the advisor makes of it, is paid for: on neighbours, with the noise frozen.

The histograms of two extracts that differ in one person lie no farther apart than was declared. Once the noisy histogram
is given, every question has the same clip, the same SQL, the same price and the same bytes on both: the advisor reads
text and histogram alone. Control: an advisor that reads the rows tells the two apart.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.generative.test_record_replay import EPSILONS, answerable, asked
from tests.oracle.extracts import DATASET
from tests.oracle.neighbours import distance, loss, neighbours, recorded
from tests.oracle.profiles import profiled

from enclave.catalogue.profile import PERSON
from enclave.profile import Aim, Goal, chosen, curve_of
from enclave.query import Engine, drawn, portrayed, prepare
from enclave.query.advised import Precision, advised
from enclave.query.bounds import tallies
from enclave.query.question import parse

ANSWERED_EACH = 25
EPSILON = "2"
CLEAR = "300"
"""Forty persons stand clear of the noise, so that the advisor has something to go by."""


@pytest.mark.parametrize("seed", range(5))
def test_histograms_of_neighbours_lie_no_farther_apart_than_was_paid(tmp_path: Path, seed: int) -> None:
    portrait = portrayed(DATASET, EPSILON)
    with neighbours(tmp_path, seed) as pair:
        with recorded() as first:
            one = drawn(portrait, pair.without.totals(portrait.statements, (), 600_000))
        with recorded(frozen=first) as second:
            other = drawn(portrait, pair.joined.totals(portrait.statements, (), 600_000))
    assert one == other, "the same bytes"
    assert len(first.calls) == len(portrait.things), "one release for each histogram that was priced"
    for (kernel, here, _), (_, there, _) in zip(first.calls, second.calls, strict=True):
        assert distance(here, there, str(kernel.input_metric)) <= PERSON * PERSON
        assert sum(abs(a - b) for a, b in zip(here, there, strict=True)) <= PERSON
    assert loss(first, second) <= portrait.rho
    moved = sum(a != b for (_, a, _), (_, b, _) in zip(first.calls, second.calls, strict=True))
    assert moved >= (4 if seed % 5 == 4 else len(portrait.things) - 1), "a newcomer nobody sees tests nothing"


@pytest.mark.parametrize("seed", range(3))
def test_with_the_histogram_given_nothing_differs_between_neighbours(tmp_path: Path, seed: int) -> None:
    with neighbours(tmp_path, seed, persons=40) as pair:
        dataset = profiled(DATASET, pair.without, CLEAR)
        advised_on = 0
        for sql, epsilon in answerable(ANSWERED_EACH, seed):
            priced = prepare(sql, dataset, epsilon)
            advised_on += any(draw.tally.norm.advised for draw in priced.draws)
            first, second = asked(priced, pair)
            again = prepare(sql, dataset, epsilon)
            assert (again.clips, again.statements, again.rho) == (priced.clips, priced.statements, priced.rho)
            assert again.quote == priced.quote
            assert loss(first, second) <= priced.rho, sql
            if len(first.calls) != len(priced.draws):
                continue
            for draw, (kernel, one, _), (_, other, _) in zip(priced.draws, first.calls, second.calls, strict=True):
                metric, declared = str(kernel.input_metric), draw.tally.sensitivity
                reach = declared**2 if metric.startswith("L2Distance") else declared
                assert distance(one, other, metric) <= reach, (sql, draw.tally)
    assert advised_on, "nobody was advised: nothing was tried"


def exact_clip(engine: Engine, sql: str, noise: float) -> int:
    """The naive advisor: the true histogram of the rows."""
    portrait = portrayed(DATASET, "1000")
    totals = engine.totals(portrait.statements, (), 600_000)
    profile = drawn(portrait, totals)
    bare = tuple(replace(h, counts=tuple(exact), scale=1) for h, exact in zip(profile.histograms, totals, strict=True))
    plan = parse(sql, DATASET)
    moved = advised(plan, tallies(plan), replace(profile, histograms=bare), Precision((noise,)))
    return moved[0].norm.clip


def test_control_an_advisor_that_reads_the_rows_shows_the_person(tmp_path: Path) -> None:
    sql = "SELECT COUNT(*) AS n FROM visits"
    with neighbours(tmp_path, seed=1, persons=2) as pair:
        naive = [exact_clip(engine, sql, 0.5) for engine in (pair.without, pair.joined)]
        assert naive[0] != naive[1], "C alone tells who is there"
        dataset = profiled(DATASET, pair.without, CLEAR)
        ours = [prepare(sql, dataset, epsilon).clips for epsilon in EPSILONS for _ in (pair.without, pair.joined)]
        assert all(a == b for a, b in zip(ours[::2], ours[1::2], strict=True))


def test_the_advisor_is_a_function_of_the_histogram_alone(tmp_path: Path) -> None:
    with neighbours(tmp_path, seed=2, persons=60) as pair:
        profile = profiled(DATASET, pair.without, "50").profile
    assert profile is not None
    found = profile.of("visits", "norm_dept")
    assert found is not None
    copied = replace(found, counts=tuple(found.counts))
    curves = curve_of(found), curve_of(copied)
    assert curves[0] is not None and curves[0] == curves[1]
    assert chosen(curves[0], [Aim(Goal.TOTAL, 3.0, 7)]) == chosen(curves[0], [Aim(Goal.TOTAL, 3.0, 7)])
