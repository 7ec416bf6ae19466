"""A question asked again at a larger ρ: what the combination is worth, what it costs, and for which questions it stands."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.extracts import DATASET

from enclave.query import Held, Part, Priced, covers, mechanisms, prepare, topic, wanting
from enclave.query.answer import Executed
from enclave.query.topup import combined, execute_more, kept

QUESTIONS = (
    "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept",
    "SELECT dept, AVG(los_days) AS los, SUM(fee) AS fee FROM visits GROUP BY dept",
    "SELECT COUNT(DISTINCT patient_id) AS p FROM visits WHERE urgent",
)
EPSILONS = [f"{n / 100:.2f}" for n in (1, 5, 10, 25, 50, 70, 100, 150, 200, 400, 800)]


def fresh(priced: Priced) -> Held:
    """As if it had been answered: all totals zero."""
    size = priced.plan.cells
    return Held(tuple((Part(draw.scale, draw.rho, (0,) * size),) for draw in priced.draws))


def topped(held: Held, priced: Priced) -> Held:
    draws = wanting(held, priced)
    assert draws is not None
    size = priced.plan.cells
    parts = [(*before, Part(d.scale, d.rho, (0,) * size)) for before, d in zip(held.mechanisms, draws, strict=True)]
    return Held(tuple(parts))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(QUESTIONS), st.lists(st.sampled_from(EPSILONS), min_size=2, max_size=4, unique=True))
def test_topping_up_costs_the_target_and_is_worth_the_target(sql: str, epsilons: list[str]) -> None:
    ladder = [prepare(sql, DATASET, epsilon) for epsilon in sorted(epsilons, key=float)]
    held = fresh(ladder[0])
    for target in ladder[1:]:
        held = topped(held, target)
        assert held.rho <= target.rho, "never more than the target's own price"
        assert covers(held, target), "asked again it is free: no scale comes nearer"
        assert held.rho >= target.rho - len(target.draws) * (2 + target.rho // 10_000), "the whole of it, to rounding"
        for parts, draw in zip(held.mechanisms, target.draws, strict=True):
            variance = 1 / sum((part.precision for part in parts), Fraction(0))
            assert abs(variance / draw.scale**2 - 1) < Fraction(1, 1000)
            scale, _ = combined(parts)
            assert variance <= scale**2 <= variance * (1 + Fraction(6, draw.scale)), (
                "never said to be sharper than it is"
            )


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(-(2**40), 2**40)), min_size=1, max_size=4),
    st.integers(-(2**30), 2**30),
)
def test_the_combination_is_the_precision_weighted_mean(drawn: list[tuple[int, int]], shift: int) -> None:
    parts = tuple(Part(scale, 1, (value,)) for scale, value in drawn)
    _, (total,) = combined(parts)
    weight = sum(part.precision for part in parts)
    exact = sum(part.precision * part.vector[0] for part in parts) / weight
    assert abs(total - exact) <= Fraction(1, 2)
    moved = tuple(replace(part, vector=(part.vector[0] + shift,)) for part in parts)
    assert combined(moved)[1] == [total + shift], "unbiased: what all draws share goes through unchanged"


def test_drawn_noise_has_the_variance_it_is_said_to_have() -> None:
    coarse, fine, scale = 900, 500, 0
    means = []
    for _ in range(4_000):
        parts = tuple(Part(s, 1, tuple(mechanisms.noisy([7], s))) for s in (coarse, fine))
        scale, (total,) = combined(parts)
        means.append(total - 7)
    said = scale * scale
    assert abs(statistics.pvariance(means) / said - 1) < 0.12, "five standard errors of a variance of 4,000 draws"
    assert statistics.pvariance(means) < 0.9 * fine * fine  # the control: one draw alone is worse


def test_what_differs_in_more_than_its_price_is_another_topic() -> None:
    base = prepare(QUESTIONS[0], DATASET, "0.5")
    assert topic(base) == topic(prepare(QUESTIONS[0], DATASET, "2")) != base.answer_key
    visits = DATASET.tables[1]
    wider = replace(visits, facets=tuple(replace(f, clip=f.clip + 1) for f in visits.facets))
    for other in (
        prepare("SELECT dept, COUNT(*) AS n FROM visits WHERE urgent GROUP BY dept", DATASET, "0.5"),
        prepare(QUESTIONS[0], replace(DATASET, digest="2" * 64), "0.5"),
        prepare(QUESTIONS[0], replace(DATASET, policy_digest="2" * 64), "0.5"),
        prepare(QUESTIONS[0], replace(DATASET, tables=(DATASET.tables[0], wider, DATASET.tables[2])), "0.5"),
    ):
        assert topic(other) != topic(base)


def test_a_coarser_or_equal_question_is_covered_and_wants_nothing() -> None:
    held = fresh(prepare(QUESTIONS[1], DATASET, "1"))
    for epsilon, covered in (("0.5", True), ("1", True), ("1.5", False)):
        priced = prepare(QUESTIONS[1], DATASET, epsilon)
        assert covers(held, priced) is covered
        assert (wanting(held, priced) is None) is covered


def test_draws_of_another_question_are_never_added_to() -> None:
    held, priced = fresh(prepare(QUESTIONS[0], DATASET, "0.1")), prepare(QUESTIONS[1], DATASET, "1")
    assert not held.fits(priced) and wanting(held, priced) is None and not covers(held, priced)
    uneven = Held(tuple((*parts, Part(9, 9, (1,))) for parts in held.mechanisms))
    assert wanting(uneven, prepare(QUESTIONS[0], DATASET, "1")) is None


class Zeros:
    def totals(self, statements: object, keys: object, cap_ms: int) -> list[list[int]]:
        return [[0] * 7, [0] * 7, [0] * 7]


class Broken:
    def totals(self, statements: object, keys: object, cap_ms: int) -> list[list[int]]:
        raise MemoryError


@pytest.mark.parametrize("engine", [Zeros(), Broken()])
def test_means_combine_their_sums_and_counts_and_an_incident_is_never_added_to(engine: Zeros | Broken) -> None:
    coarse, sharp = prepare(QUESTIONS[1], DATASET, "0.5"), prepare(QUESTIONS[1], DATASET, "2")
    assert coarse.plan.cells == 7
    draw = random.Random(3)
    vectors = tuple([draw.randint(1, 10**9) for _ in range(7)] for _ in coarse.draws)
    held = kept(coarse.draws, Executed(b"", False, vectors))
    assert held is not None
    draws = wanting(held, sharp)
    assert draws is not None
    done, now_held = execute_more(sharp, held, draws, engine)
    assert done.body and done.incident is isinstance(engine, Broken)
    assert (now_held is None) is done.incident
    if now_held is not None:
        assert [len(parts) for parts in now_held.mechanisms] == [2] * len(sharp.draws)
        assert now_held.mechanisms[0][0].vector == tuple(vectors[0])


def test_a_choice_is_never_topped_up_and_a_histogram_is() -> None:
    one = "SELECT dept, MEDIAN(los_days) AS m FROM visits GROUP BY dept"
    quarters = "QUANTILE_CONT(los_days, 0.25) AS low, QUANTILE_CONT(los_days, 0.75) AS high"
    several = f"SELECT dept, {quarters} FROM visits GROUP BY dept"
    assert topic(prepare(one, DATASET, "1")) == ""
    both = one.replace(" AS m", " AS m, COUNT(*) AS n")
    assert topic(prepare(both, DATASET, "1")) == "", "one choice among the mechanisms is enough"
    coarse, sharp = prepare(several, DATASET, "1"), prepare(several, DATASET, "2")
    assert topic(coarse) == topic(sharp) != ""
    sizes = [coarse.plan.cells * draw.tally.size for draw in coarse.draws]
    held = Held(tuple((Part(d.scale, d.rho, (0,) * n),) for d, n in zip(coarse.draws, sizes, strict=True)))
    assert held.fits(sharp) and wanting(held, sharp) is not None
