"""A profile costs what was asked at most, and counts every person once in each histogram."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.oracle.extracts import DATASET, Rows, with_norms
from tests.oracle.profiles import counted

from enclave.catalogue import Of, Profile
from enclave.catalogue.profile import PERSON
from enclave.errors import BadInput, Refused
from enclave.query import Engine, drawn, epsilon_of, portrayed
from enclave.query.profiling import NORMS_SHARE


@pytest.mark.parametrize("epsilon", ["0.05", "0.2", "1", "20"])
def test_it_costs_no_more_than_was_asked(epsilon: str) -> None:
    portrait = portrayed(DATASET, epsilon)
    assert epsilon_of(portrait.rho, DATASET.delta) <= float(epsilon)
    assert epsilon_of(portrait.rho, DATASET.delta) > 0.99 * float(epsilon)


def test_norms_get_their_share_of_the_price() -> None:
    portrait = portrayed(DATASET, "1")
    norms = [s for t, s in zip(portrait.things, portrait.scales, strict=True) if t.of is Of.NORM]
    paid = Fraction(sum(Fraction(PERSON, s) ** 2 / 2 for s in norms) * 10**9, portrait.rho)
    assert abs(paid - NORMS_SHARE) < Fraction(1, 100)


@pytest.mark.parametrize("epsilon", [None, "", "0", "nan", "-1"])
def test_what_is_no_epsilon_is_refused(epsilon: str | None) -> None:
    with pytest.raises(BadInput):
        portrayed(DATASET, epsilon)


def test_an_epsilon_that_buys_nothing_is_refused() -> None:
    with pytest.raises(Refused):
        portrayed(replace(DATASET, delta="1e-9"), "0.000001")


def test_every_person_counts_once_in_each_histogram(engine: Engine, small_rows: Rows) -> None:
    """To the weight that whole numbers lose: less than one in 65,536 for each row of a person."""
    portrait = portrayed(DATASET, "1")
    totals = engine.totals(portrait.statements, (), 60_000)
    for thing, found in zip(portrait.things, totals, strict=True):
        rows = with_norms(thing.table, small_rows[thing.table.name])
        expected = counted(thing, rows)
        persons = Counter(row[thing.table.unit] for row in rows)
        assert len(found) == thing.bins
        assert sum(found) <= PERSON * len(persons)
        for at, total in enumerate(found):
            assert PERSON * expected[at] - len(rows) <= total <= PERSON * expected[at], (thing.column, at)


def test_noise_is_added_to_every_number(engine: Engine) -> None:
    portrait = portrayed(DATASET, "0.2")
    totals = engine.totals(portrait.statements, (), 60_000)
    one, other = drawn(portrait, totals), drawn(portrait, totals, reservation=7)
    for bought, again, exact in zip(one.histograms, other.histograms, totals, strict=True):
        assert len(bought.counts) == len(exact)
        moved = sum(a != b for a, b in zip(bought.counts, exact, strict=True))
        assert moved == len(exact), "each is far from its exact value by whole persons"
        assert bought.counts != again.counts
    assert one.digest != other.digest and other.reservation == 7


def test_a_profile_comes_back_as_it_went_in(engine: Engine) -> None:
    portrait = portrayed(DATASET, "1")
    bought = drawn(portrait, engine.totals(portrait.statements, (), 60_000), reservation=3)
    read = Profile.from_json(bought.to_json())
    assert read == bought and read.digest == bought.digest and hash(read) == hash(bought)
    found = bought.of("visits", "norm_dept")
    assert found is not None and found.table == "visits" and bought.of("visits", "nothing") is None
