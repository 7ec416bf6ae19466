"""In pure ε prices are whole nano-epsilon, noise is discrete Laplace, intervals are exact, and the rest is refused."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.oracle.extracts import DATASET
from tests.oracle.neighbours import newcomer
from tests.oracle.persons import People

from enclave.errors import Incident, Refused
from enclave.query import Engine, execute, mechanisms, prepare
from enclave.query.answer import drawn, released
from enclave.query.bounds import tallies
from enclave.query.pure import nano_epsilon, rho_of
from enclave.query.question import parse

BY_DEPT = "SELECT dept, COUNT(*) AS n, SUM(los_days) AS days, AVG(los_days) AS los FROM visits GROUP BY dept"
NANO = 10**9


@pytest.mark.parametrize("sensitivity", [1, 65536, 120 * 65536, 2**40])
@pytest.mark.parametrize("share", [1, 999, 10**6, 10**8, 10**9, 7 * 10**9])
def test_the_scale_is_the_smallest_whole_one_that_fits(share: int, sensitivity: int) -> None:
    scale = mechanisms.pure_scale_for(share, sensitivity)
    paid = mechanisms.price_of_laplace(scale, sensitivity)
    assert Fraction(sensitivity, scale) * NANO <= paid <= share
    assert scale == 1 or Fraction(sensitivity, scale - max(2, scale >> 40)) * NANO > share


@pytest.mark.parametrize("miss", [Fraction(1, 20), Fraction(1, 40), Fraction(1, 1_000)])
@pytest.mark.parametrize("scale", [1, 2, 7, 40, 1_000])
def test_the_radius_is_exact(scale: int, miss: Fraction) -> None:
    weights = [math.exp(-i / scale) for i in range(60 * scale)]
    whole = 2 * math.fsum(weights) - 1
    radius = mechanisms.laplace_radius(scale, miss)
    assert 2 * math.fsum(weights[radius + 1 :]) / whole <= float(miss) * (1 + 1e-9)
    assert radius == 0 or 2 * math.fsum(weights[radius:]) / whole > float(miss)


def test_the_noise_is_that_of_its_scale() -> None:
    draws = mechanisms.laplaced([0] * 20_000, 1_000)
    assert mechanisms.laplace_deviation(1_000) == pytest.approx(math.sqrt(2) * 1_000, rel=1e-6)
    assert sum(d * d for d in draws) / 20_000 == pytest.approx(2 * 10**6, rel=0.12)
    covered = sum(abs(d) <= mechanisms.laplace_radius(1_000, Fraction(1, 20)) for d in draws) / 20_000
    assert covered == pytest.approx(0.95, abs=0.01)


BROKEN: dict[str, tuple[int, Callable[[random.Random], int]]] = {
    "nothing": (40, lambda draw: 0),
    "normal of the same width": (40, lambda draw: round(draw.gauss(0, 40 * math.sqrt(2)))),
    "too narrow": (40, lambda draw: round(draw.expovariate(1 / 36)) * draw.choice((1, -1))),
    "one side": (40, lambda draw: round(draw.expovariate(1 / 40))),
    "even numbers only": (3, lambda draw: 2 * round(draw.expovariate(1 / 1.5)) * draw.choice((1, -1))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_control_a_broken_sampler_is_seen(name: str) -> None:
    scale, broken = BROKEN[name]
    draw = random.Random(1)
    with pytest.raises(Incident) as incident:
        mechanisms.check_laplace([broken(draw) for _ in range(mechanisms.SELF_TEST_DRAWS)], scale)
    assert incident.value.code == "query.sampler_broken"


def test_a_question_costs_its_epsilon_in_whole_numbers_and_no_delta() -> None:
    priced = prepare(BY_DEPT, DATASET, "1", pure=True)
    shares = [draw.nano_epsilon for draw in priced.draws]
    assert len(shares) == 4 and all(0 < share <= NANO // 4 for share in shares)
    assert priced.nano_epsilon == sum(shares) > 0.999 * NANO
    assert priced.rho == sum(map(rho_of, shares)), "what the register pays: ε²/2 of each, rounded up"
    quote = priced.quote
    assert (quote.pure, quote.delta, quote.epsilon) == (True, 0.0, sum(shares) / NANO)
    assert {card.mechanism for card in quote.mechanisms} == {"discrete_laplace"}
    assert not prepare(BY_DEPT, DATASET, "1").quote.pure, "the control"


def test_what_is_pure_has_a_key_of_its_own() -> None:
    keys = [prepare(BY_DEPT, DATASET, "1", pure=pure).answer_key for pure in (True, False)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(("spent", "rho"), [(1, 1), (NANO, NANO // 2), (NANO + 1, NANO // 2 + 2), (10**8, 5 * 10**6)])
def test_rho_is_half_the_square_rounded_up(spent: int, rho: int) -> None:
    assert rho_of(spent) == rho
    assert Fraction(spent, NANO) ** 2 / 2 * NANO <= rho < Fraction(spent, NANO) ** 2 / 2 * NANO + 1
    assert nano_epsilon("0.1") == 10**8


REFUSED = {
    "SELECT finding, COUNT(*) AS n FROM visits GROUP BY finding": "query.pure_unlisted",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_pure_epsilon_cannot_have_is_refused_in_words(sql: str) -> None:
    assert prepare(sql, DATASET, "1").rho > 0, "the control: it is a question"
    with pytest.raises(Refused) as no:
        prepare(sql, DATASET, "1", pure=True)
    assert no.value.code == REFUSED[sql]


@pytest.mark.parametrize("wide", ["SUM(fee * fee) AS s", "AVG(fee * fee * 4) AS m"])
def test_what_one_person_moves_further_than_the_kernel_measures_is_refused_in_words(wide: str) -> None:
    """It measures l1 in int64: beyond it there was no price, and no word either: the channel of the run ended."""
    for asked in ({"epsilon": "1"}, {"epsilon": "1000"}):
        with pytest.raises(Refused) as no:
            prepare(f"SELECT {wide} FROM visits", DATASET, pure=True, **asked)
        assert no.value.code == "query.too_wide"
    narrower = wide.replace("fee * fee", "fee * change")
    assert prepare(f"SELECT {narrower} FROM visits", DATASET, "1", pure=True).nano_epsilon > 0, "the control"


@pytest.mark.parametrize(
    "numbers", ["COUNT(*) AS n", "SUM(v.fee) AS s", "COUNT(DISTINCT v.patient_id) AS n", "SSCP(v.los_days, d.rank)"]
)
def test_rows_that_meet_many_rows_of_a_person_are_weighed_by_all_their_cells_together(numbers: str) -> None:
    """The control: under the norm of ρ, which is squared, somebody who goes everywhere adds more than is claimed."""
    sql = f"SELECT v.dept, {numbers} FROM visits v JOIN diagnoses d USING (patient_id) GROUP BY v.dept"
    plan = parse(sql, DATASET)
    purely, lengths = replace(plan, pure=True), []
    with People(DATASET, newcomer(random.Random(1), "spread")) as person:
        for asked in (purely, plan):
            (tally,) = tallies(asked)
            (cells,) = person.vectors(asked, (tally,))
            lengths.append(sum(map(abs, cells.values())) / tally.sensitivity)
    assert 0.5 < lengths[0] <= 1 < lengths[1]
    assert {d.mechanism for d in prepare(sql, DATASET, "1", pure=True).draws} == {"discrete_laplace"}


@pytest.mark.parametrize(("accuracy", "confidence"), [("50", "0.95"), ("7.5", "0.999"), ("0.5", "0.5"), ("900", None)])
@pytest.mark.parametrize("column", ["COUNT(*)", "SUM(los_days)", "COUNT(DISTINCT patient_id)", "COUNT(DISTINCT dx)"])
def test_an_accuracy_takes_the_widest_noise_that_keeps_it(column: str, accuracy: str, confidence: str | None) -> None:
    priced = prepare(f"SELECT {column} AS n FROM visits", DATASET, None, accuracy, confidence, pure=True)
    (draw,), miss = priced.draws, 1 - Fraction(confidence or "0.95")
    within = Fraction(accuracy) * draw.tally.unit
    assert draw.radius(miss) <= within < mechanisms.laplace_radius(draw.scale + 1, miss) + 1
    assert priced.nano_epsilon == mechanisms.price_of_laplace(draw.scale, draw.tally.sensitivity)
    assert priced.quote.mechanisms[0].mechanism == "discrete_laplace" and priced.quote.delta == 0


def test_an_accuracy_is_kept_as_often_as_was_asked() -> None:
    """20,000 draws: a share of 0.9 is missed by 0.013 once in 10⁹."""
    (draw,) = prepare("SELECT COUNT(*) AS n FROM visits", DATASET, None, "3", "0.9", pure=True).draws
    near = sum(abs(noise) <= 3 * draw.tally.unit for noise in mechanisms.laplaced([0] * 20_000, draw.scale))
    assert near / 20_000 == pytest.approx(0.9, abs=0.013)


@pytest.mark.parametrize("accuracy", ["0.000001", "900000000000000"])
def test_an_accuracy_no_price_delivers_is_refused(accuracy: str) -> None:
    with pytest.raises(Refused) as no:
        prepare("SELECT COUNT(*) AS n FROM visits", DATASET, None, accuracy, pure=True)
    assert no.value.code in ("query.accuracy_too_fine", "query.accuracy_too_coarse")


def test_an_accuracy_of_a_mean_is_refused_where_no_profile_was_bought() -> None:
    with pytest.raises(Refused) as no:
        prepare("SELECT AVG(los_days) AS n FROM visits", DATASET, None, "1", pure=True)
    assert no.value.code == "query.accuracy_of_others"


def test_intervals_cover_what_they_say(engine: Engine) -> None:
    sql = "SELECT dept, COUNT(*) AS n, AVG(los_days) AS los, 2 * COUNT(*) AS twice FROM visits GROUP BY dept"
    priced = prepare(sql, DATASET, "2", pure=True)
    assert not execute(priced, engine).incident
    zeros = [[500 * 65536] * priced.plan.cells for _ in priced.draws]
    inside = {"n": 0, "twice": 0}
    times = 400
    for _ in range(times):
        noisy = [drawn(priced.plan, draw, totals) for draw, totals in zip(priced.draws, zeros, strict=True)]
        made = released(priced.plan, priced.draws, noisy)
        for name, factor in (("n", 1), ("twice", 2)):
            ends = zip(made[f"{name}_low"], made[f"{name}_high"], strict=True)
            inside[name] += sum(
                low <= 500 * factor <= high for low, high in ends if low is not None and high is not None
            )
    whole = times * priced.plan.cells
    assert all(hits / whole >= 0.93 for hits in inside.values()), inside
    assert inside["n"] / whole < 0.975, "the control: no wider than said"
