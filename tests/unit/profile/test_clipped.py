"""What clipping may have taken is never more than is said, for all clips at once."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.unit.profile.test_advisor import Norms, histogram, lost, visits, whole

from enclave.catalogue.profile import PERSON
from enclave.profile import Clipping, clipping
from enclave.profile.bins import octaves

CLIPS = octaves(1, 320, 4)


def test_the_bound_holds_in_nineteen_draws_of_twenty_for_all_clips_together() -> None:
    norms, missed, draws = visits(5_000), 0, 200
    bare = histogram(norms, 0.0)
    draw = random.Random(5)
    true = {clip: lost(norms, clip) for clip in CLIPS}
    for _ in range(draws):
        noisy = tuple(count + round(PERSON * draw.gauss(0, 20)) for count in bare.counts)
        told = replace(bare, counts=noisy, scale=20 * PERSON)
        found = {clip: clipping(told, clip) for clip in CLIPS}
        missed += any(one is not None and one.most < true[clip] for clip, one in found.items())
    assert missed <= 0.05 * draws


def test_without_noise_it_is_near_what_was_taken() -> None:
    norms = visits(50_000)
    for clip in (2, 8, 24):
        told = said(norms, 0.0, clip)
        assert lost(norms, clip) <= told.most <= 1.6 * lost(norms, clip) + 50
        assert told.about == pytest.approx(lost(norms, clip) / whole(norms), rel=0.3)


def test_a_person_is_one_in_a_group_of_persons() -> None:
    norms = visits(50_000)
    told = said(norms, 0.0, 8, persons=True)
    assert told.most >= sum(persons * (1 - 8 / n) for n, persons in norms.items() if n > 8)
    assert told.most < said(norms, 0.0, 8).most


def said(norms: Norms, noise: float, clip: int, *, persons: bool = False) -> Clipping:
    found = clipping(histogram(norms, noise), clip, persons=persons)
    assert found is not None
    return found


def test_of_a_group_no_more_than_so_many_times_what_was_kept() -> None:
    told = said(visits(5_000), 20, 40)
    assert told.times == pytest.approx(384 / 40 - 1)
    assert said(visits(5_000), 20, 384).times == 0


def test_where_persons_lie_beyond_the_last_edge_nothing_is_said() -> None:
    assert clipping(histogram(Norms({10_000: 100}), 1.0), 40) is None
    assert clipping(histogram(Norms({10_000: 1}), 1.0), 40) is not None, "one person in so much noise is nobody"
