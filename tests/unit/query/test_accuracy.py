"""By accuracy: the least price whose noise stays within what was asked, and refusals where none can be promised."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pytest
from tests.oracle.extracts import DATASET, random_rows
from tests.oracle.persons import People
from tests.oracle.profiles import exact

from enclave.errors import EnclaveError
from enclave.query import mechanisms
from enclave.query.answer import execute, is_told
from enclave.query.engine import Engine
from enclave.query.price import prepare

COUNT = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"


@pytest.mark.parametrize("accuracy", ["50", "3", "0.5", "1000000"])
@pytest.mark.parametrize("confidence", [None, "0.95", "0.5", "0.999"])
def test_the_price_is_the_least_that_keeps_the_noise_within_it(accuracy: str, confidence: str | None) -> None:
    (draw,) = prepare(COUNT, DATASET, None, accuracy, confidence).draws
    miss, radius = 1 - Fraction(confidence or "0.95"), int(Fraction(accuracy) * 65536)
    assert mechanisms.noise_radius(draw.scale, miss) <= radius < mechanisms.noise_radius(draw.scale + 1, miss)
    assert draw.rho == mechanisms.price(draw.scale, draw.tally.sensitivity)


def test_the_interval_beside_each_number_is_within_it(engine: Engine) -> None:
    sql = "SELECT dept, COUNT(*) AS n, SUM(los_days) AS f, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY dept"
    priced = prepare(sql, DATASET, None, "40")
    rows = pa.ipc.open_stream(execute(priced, engine).body).read_all().to_pylist()
    for row in rows:
        for name in ("n", "f", "p"):
            assert 39.9 < row[f"{name}_high"] - row[name] <= 40.0001
    assert priced.rho == sum(d.rho for d in priced.draws)
    assert priced.epsilon == mechanisms.epsilon_of(priced.rho, DATASET.delta)


def test_a_finer_accuracy_and_a_surer_one_cost_more() -> None:
    rhos = [
        prepare(COUNT, DATASET, None, accuracy, confidence).rho
        for accuracy, confidence in (("100", "0.9"), ("100", "0.95"), ("50", "0.95"), ("50", "0.99"))
    ]
    assert rhos == sorted(rhos)
    assert rhos[2] == pytest.approx(4 * rhos[1], rel=1e-4)


@pytest.mark.parametrize(
    ("sql", "price", "code"),
    [
        (COUNT, ("1", "50", None), "query.epsilon_or_accuracy"),
        (COUNT, ("1", None, "0.95"), "query.confidence_alone"),
        (COUNT, (None, None, "0.95"), "query.confidence_alone"),
        (COUNT, (None, None, None), "query.no_epsilon"),
        (COUNT, (None, "-5", None), "query.bad_accuracy"),
        (COUNT, (None, "0", None), "query.bad_accuracy"),
        (COUNT, (None, "nan", None), "query.bad_accuracy"),
        (COUNT, (None, "５", None), "query.bad_accuracy"),
        (COUNT, (None, "5", "x"), "query.bad_accuracy"),
        (COUNT, (None, "5", "1"), "query.bad_confidence"),
        (COUNT, (None, "5", "0.2"), "query.bad_confidence"),
        (COUNT, (None, "0.000001", None), "query.accuracy_too_fine"),
        (COUNT, (None, "0.001", "0.999999"), "query.accuracy_too_fine"),
        (COUNT, (None, "999999999999999", None), "query.accuracy_too_coarse"),
        ("SELECT AVG(fee) FROM visits", (None, "5", None), "query.accuracy_of_others"),
        ("SELECT COUNT(*), MEDIAN(fee) FROM visits", (None, "5", None), "query.accuracy_of_others"),
        ("SELECT STDDEV(fee) FROM visits", (None, "5", None), "query.accuracy_of_others"),
    ],
)
def test_what_cannot_be_promised_is_said_in_words(sql: str, price: tuple[str | None, ...], code: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, DATASET, *price)
    assert refused.value.code == code
    assert refused.value.words("zh") != refused.value.words("en")


# --- means, by the paid profile -------------------------------------------------------------------------------------

ROWS = random_rows(600, seed=21)
PAID = replace(DATASET, profile=exact(DATASET, ROWS))
MEANS = {
    "SELECT AVG(los_days) AS m FROM visits": ("2", 1.0),
    "SELECT AVG(change) AS m FROM visits WHERE urgent": ("1", 1.0),
    "SELECT AVG(fee) AS m FROM visits": ("3000", 100.0),
    "SELECT urgent, AVG(los_days) AS m FROM visits GROUP BY urgent": ("2", 1.0),
    "SELECT AVG(age) AS m FROM patients": ("5", 1.0),
}


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    with People(PAID, ROWS) as made:
        yield made


def missed(people: People, sql: str, within: float, stretch: int = 1, *, pure: bool = False) -> float:
    """How often noise moves the mean of the largest group by more, at the scales of the question times `stretch`."""
    priced = prepare(sql, PAID, None, MEANS[sql][0], pure=pure)
    centred, counted = priced.draws
    vectors = people.vectors(priced.plan, tuple(d.tally for d in priced.draws))
    cell = max(vectors[1], key=lambda key: vectors[1][key])
    total, rows = vectors[0][cell], vectors[1][cell]
    chance, times = random.Random(3), 4_000
    found = 0

    def noise(scale: float) -> float:
        return chance.choice((-1, 1)) * chance.expovariate(1 / scale) if pure else chance.gauss(0, scale)

    for _ in range(times):
        e, f = noise(stretch * centred.scale), noise(stretch * counted.scale)
        found += abs((total + e) / (rows + f) - total / rows) > within
    return found / times


@pytest.mark.parametrize("sql", MEANS)
@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_a_mean_of_a_group_of_average_size_or_more_stays_within_what_was_asked(
    people: People, sql: str, pure: bool
) -> None:
    accuracy, scale = MEANS[sql]
    assert missed(people, sql, float(accuracy) * scale, pure=pure) < 0.05
    coarser = missed(people, sql, float(accuracy) * scale, stretch=8, pure=pure)
    assert coarser > 0.05, "the control: coarser noise does not"


def test_in_pure_epsilon_the_profile_chooses_no_clip_and_nothing_is_said_of_clipping() -> None:
    """Chosen for normal noise, it would be the wrong one; an accuracy of a mean is estimated by it all the same."""
    sql = "SELECT dept, AVG(los_days) AS m FROM visits GROUP BY dept"
    by_epsilon, without = (prepare(sql, of, "1", pure=True) for of in (PAID, DATASET))
    assert (by_epsilon.answer_key, by_epsilon.clips) == (without.answer_key, without.clips)
    assert not is_told(by_epsilon) and is_told(prepare(sql, PAID, "1"))
    within = prepare(sql, PAID, None, "20", pure=True)
    assert {d.tally.norm.column for d in within.draws} == {"unit_rows"}
    assert not any(d.tally.norm.advised for d in within.draws)
    assert "accuracy estimated for groups of about" in within.quote.mechanisms[0].bound


def test_what_is_estimated_is_said_with_the_price() -> None:
    quote = prepare("SELECT AVG(los_days) AS m, COUNT(*) AS n FROM visits", PAID, None, "20").quote
    said = ["accuracy estimated for groups of about" in m.bound for m in quote.mechanisms]
    assert said == [True, False, False]


def test_a_finer_mean_costs_more_and_one_of_many_groups_more_again() -> None:
    mean, grouped = "SELECT AVG(los_days) AS m FROM visits", "SELECT dx, AVG(los_days) AS m FROM visits GROUP BY dx"
    rhos = [prepare(sql, PAID, None, within).rho for sql, within in ((mean, "4"), (mean, "2"), (grouped, "2"))]
    assert rhos == sorted(rhos) and rhos[0] < rhos[1] < rhos[2]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT AVG(n) AS m FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id)",
        "SELECT AVG(d.rank) AS m FROM visits v JOIN diagnoses d USING (patient_id)",
        "SELECT VAR_POP(los_days) AS m FROM visits",
        "SELECT SUM(los_days) / COUNT(*) AS m FROM visits",
    ],
)
def test_what_nothing_paid_estimates_is_refused(sql: str) -> None:
    with pytest.raises(EnclaveError) as refused:
        prepare(sql, PAID, None, "2")
    assert refused.value.code == "query.accuracy_of_others"
