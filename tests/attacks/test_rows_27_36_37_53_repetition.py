"""Rows 27, 36, 37, 49, 53: the same truth asked often, in parts, in columns, or as a difference.

The same question gives the same bytes free; every other one is paid in full, whatever its filter; columns share one
price; sizes are never given away; and the cap of the persons ends it for everybody together. The controls average.
"""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from tests.attacks.asked import Door, granted_to, numbers
from tests.oracle.extracts import DATASET

from enclave.budget import AccountKind
from enclave.catalogue import card, find
from enclave.errors import EnclaveError
from enclave.query import mechanisms
from enclave.query.price import prepare

COUNT = "SELECT COUNT(*) AS n FROM visits"


def test_row_27_the_same_question_written_otherwise_gives_the_same_bytes(door: Door) -> None:
    first = door.ask(COUNT, "1")
    spent = door.balance(AccountKind.POPULATION).spent.nano_rho
    for again in ("select  count(*)  as n\nfrom visits", "SELECT COUNT(*) AS n FROM visits -- a remark", COUNT + ";"):
        assert door.ask(again, "1").body == first.body
    assert door.balance(AccountKind.POPULATION).spent.nano_rho == spent


def test_row_27_what_only_means_the_same_is_paid_again(door: Door) -> None:
    door.ask(COUNT, "1")
    spent = door.balance(AccountKind.POPULATION).spent.nano_rho
    door.ask("SELECT COUNT(*) AS n FROM visits WHERE los_days >= 0 OR los_days IS NULL OR los_days < 0", "1")
    assert door.balance(AccountKind.POPULATION).spent.nano_rho == 2 * spent


def test_row_27_control_fresh_noise_free_of_charge_is_averaged_away() -> None:
    draws = [mechanisms.noisy([1_000_000], 50_000)[0] for _ in range(2_000)]
    assert abs(fmean(draws) - 1_000_000) < 6_000
    assert abs(draws[0] - 1_000_000) != abs(fmean(draws) - 1_000_000)


def test_row_36_disjoint_filters_are_charged_each_in_full(door: Door) -> None:
    spent = []
    for condition in ("los_days < 5", "los_days >= 5"):
        door.ask(f"SELECT COUNT(*) AS n FROM visits WHERE {condition}", "1")
        spent.append(door.balance(AccountKind.POPULATION).spent.nano_rho)
    assert spent[1] == 2 * spent[0]


def test_row_37_many_columns_in_one_charge_are_no_cheaper_than_one() -> None:
    """k copies of a count: the noise of their mean is that of one count, by the price of each."""
    one = prepare(COUNT, DATASET, "1")
    for k in (2, 8, 20):
        many = prepare("SELECT " + ", ".join(f"COUNT(*) AS n{i}" for i in range(k)) + " FROM visits", DATASET, "1")
        assert len(many.draws) == k
        assert sum(d.rho for d in many.draws) == many.rho <= mechanisms.rho_for("1", DATASET.delta)
        of_their_mean = sum(d.scale**2 for d in many.draws) ** 0.5 / k
        assert of_their_mean >= one.draws[0].scale * (1 - 1e-6)


def test_row_37_control_noise_of_one_price_in_each_column_averages_to_less() -> None:
    one = prepare(COUNT, DATASET, "1").draws[0].scale
    assert (20 * one**2) ** 0.5 / 20 < one / 4


def test_row_49_sizes_are_priced_and_no_card_tells_them(door: Door) -> None:
    """The number of rows is an answer like any other, and the public card has none of it."""
    shown = [numbers(door.ask(COUNT.replace("n ", f"n{i} "), "1"))[f"n{i}"][0] for i in range(3)]
    assert len(set(shown)) == 3
    assert door.balance(AccountKind.POPULATION).spent.nano_rho > 0
    told = card(find(door.living.db, "hospital")).model_dump_json()
    assert '"rows"' not in told
    assert "row_count" not in told


def test_row_49_control_an_exact_total_makes_a_person_by_difference() -> None:
    """With n public, n − count(everybody else) is one person's value, free of noise."""
    everybody = [random.Random(1).randrange(60) for _ in range(99)]
    target = 41
    assert sum([*everybody, target]) - sum(everybody) == target


def test_row_53_many_cheap_questions_meet_one_cap(door: Door) -> None:
    """However they are cut and whoever asks: what the persons of the register may lose in all is one number."""
    projects = [(door.living.project, "researcher"), (granted_to(door.living, "stranger"), "stranger")]
    balance = door.balance  # both projects draw on one population
    asked = 0
    with pytest.raises(EnclaveError) as refused:
        for at in range(40):
            project, member = projects[at % 2]
            door.ask(f"SELECT COUNT(*) AS n FROM visits WHERE los_days > {at}", "150", project=project, member=member)
            asked += 1
    population = balance(AccountKind.POPULATION)
    assert refused.value.code.startswith("budget.")
    assert 1 <= asked < 40
    assert population.spent.nano_rho <= population.cap.nano_rho


def test_row_53_control_enough_cheap_answers_without_a_cap_reconstruct_the_rows() -> None:
    """400 noisy subset counts give back 20 of 20 secret bits by least squares."""
    import numpy as np

    draw = np.random.default_rng(3)
    secret = draw.integers(0, 2, 20)
    subsets = draw.integers(0, 2, (400, 20))
    answers = subsets @ secret + draw.normal(0, 1.5, 400)
    found = np.linalg.lstsq(subsets, answers, rcond=None)[0]
    assert np.array_equal(found.round().clip(0, 1).astype(int), secret)
