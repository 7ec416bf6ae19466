"""What a report says of the ledger, and how its two figures stand to each other."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

import pytest

from enclave.broker.report import GAUSSIAN, pld_epsilon, report
from enclave.budget import NANO, Amount, Charge, Ledger, Share, population, project, researcher
from enclave.query import epsilon_of
from enclave.store import Place

DELTA = "1e-6"
ACCOUNTS = (population("cn"), project("p"), researcher("p", "m"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home")
    place.make()
    return place


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.of(place) as ledger:
        for account in ACCOUNTS:
            ledger.open_account(account, Amount(10 * NANO, NANO), actor="officer")
        yield ledger


def spend(ledger: Ledger, rho: int, question: str, *, gaussian: int | None = None, delta: int = 0) -> int:
    what: dict[str, str | int] = {"run": "run_1", "member": "m", "dataset": "hospital", "question": question}
    what |= {} if gaussian is None else {GAUSSIAN: gaussian}
    return ledger.reserve(Charge(tuple(Share(a, Amount(rho, delta)) for a in ACCOUNTS), what)).seq


def test_a_report_adds_up_to_what_the_account_spent(place: Place, ledger: Ledger) -> None:
    for number, rho in enumerate((1_000, 2_000_000, 30_000_000)):
        seq = spend(ledger, rho, f"q{number}")
        if number < 2:
            ledger.settle(seq, answer_key=f"q{number}", answer=b"x")
    found = report(place, project("p"), {"hospital": DELTA}, "1e-5")
    assert [line.so_far.nano_rho for line in found.lines] == [1_000, 2_001_000, 32_001_000]
    assert found.rho == ledger.balance(project("p")).spent.nano_rho
    assert found.epsilon == epsilon_of(found.rho, DELTA) and found.delta == DELTA
    assert [line.card()["ended"] for line in found.lines] == ["settled", "settled", "open"]
    assert [line.card()["question"] for line in found.lines] == ["q0", "q1", "q2"]


def test_an_incident_is_told_and_a_stranger_to_the_account_is_not(place: Place, ledger: Ledger) -> None:
    ledger.settle(spend(ledger, 5, "q"), answer_key="q", answer=None, incident=True)
    assert report(place, project("p"), {}, DELTA).totals()["incidents"] == 1
    assert not report(place, project("other"), {}, DELTA).lines


def test_other_mechanisms_have_no_list_of_gaussians(place: Place, ledger: Ledger) -> None:
    spend(ledger, 1_000_000, "q", gaussian=1_000_000)
    assert report(place, project("p"), {}, DELTA).epsilon_pld is not None  # the control
    spend(ledger, 1_000_000, "quantile", gaussian=0)
    assert report(place, project("p"), {}, DELTA).epsilon_pld is None


def test_draws_that_find_keys_are_of_the_list_and_their_delta_stands_beside(place: Place, ledger: Ledger) -> None:
    for number in range(3):
        spend(ledger, 4_000_000, f"keys {number}", gaussian=4_000_000, delta=10**8)
    found = report(place, population("cn"), {}, DELTA).totals()
    assert found["epsilon_pld"] == pld_epsilon([12_000_000], DELTA) and found["keys_delta"] == 3e-10
    assert isinstance(found["epsilon_pld"], float) and isinstance(found["epsilon"], float)
    assert found["epsilon_pld"] < found["epsilon"]


@pytest.mark.parametrize("gaussian", [None, 1_000_000])
def test_what_found_keys_before_they_were_counted_so_leaves_the_figure_empty(
    place: Place, ledger: Ledger, gaussian: int | None
) -> None:
    spend(ledger, 4_000_000, "keys", gaussian=gaussian, delta=10**9)
    assert report(place, project("p"), {}, DELTA).epsilon_pld is None


def test_the_figure_is_no_less_than_composition_with_each_delta_as_infinite_loss() -> None:
    """By dp-accounting: Gaussians, and what each draw of keys may tell outright as mass at infinity."""
    from dp_accounting.pld import common
    from dp_accounting.pld import privacy_loss_distribution as pld

    draw, step = random.Random(22), 1e-3
    for each in (1e-9, 1e-7):
        rhos = [int(10 ** draw.uniform(6, 8)) for _ in range(4)]
        composed = pld.identity(value_discretization_interval=step)
        for rho in rhos:
            deviation = math.sqrt(NANO / (2 * rho))
            gauss = pld.from_gaussian_mechanism(deviation, value_discretization_interval=step, use_connect_dots=True)
            told = common.DifferentialPrivacyParameters(0.0, each)
            lost = pld.from_privacy_parameters(told, value_discretization_interval=step)
            composed = composed.compose(gauss).compose(lost)
        ours, by_library = pld_epsilon(rhos, DELTA), composed.get_epsilon_for_delta(float(DELTA) + 4 * each)
        assert ours >= by_library * (1 - 1e-3)
        assert ours == pytest.approx(by_library, rel=5e-3)
        assert composed.get_epsilon_for_delta(3.9 * each) == math.inf, "the control: without its δ there is no ε"


@pytest.mark.parametrize("log_alpha", [-1.0, 0.0, 0.3, 1.0, 2.0, 6.0])
def test_finding_keys_loses_no_more_than_a_gaussian_and_its_delta_at_infinity(log_alpha: float) -> None:
    """The argument of docs/privacy/keys.md on a case small enough to sum up: one person with a value that others have and
    one that nobody has, K = 2; both directions. The control: a Gaussian alone does not cover it."""
    sigma, threshold, shared = 3.0, 9, 10
    law = {i: math.exp(-(i * i) / (2 * sigma * sigma)) for i in range(-60, 61)}
    whole = math.fsum(law.values())

    def counted(true: int) -> dict[int, float]:
        """What is told of one value: its noisy count, or (as 0) nothing."""
        found: dict[int, float] = {}
        for noise, weight in law.items():
            seen = true + noise if true + noise >= threshold else 0
            found[seen] = found.get(seen, 0.0) + weight / whole
        return found

    without, joined = counted(shared), counted(shared + 1)
    told_alone = math.fsum(p for told, p in counted(1).items() if told)
    alpha, mu = math.exp(log_alpha), math.sqrt(2) / sigma
    normal = NormalDist().cdf
    gauss = normal(mu / 2 - log_alpha / mu) - alpha * normal(-mu / 2 - log_alpha / mu)
    kept, back = 0.0, 0.0
    for outcome in joined | without:
        p, q = (1 - told_alone) * joined.get(outcome, 0.0), without.get(outcome, 0.0)
        kept, back = kept + max(0.0, p - alpha * q), back + max(0.0, q - alpha * p)
    for lost in (told_alone + kept, back):
        assert lost <= told_alone + (1 - told_alone) * gauss + 1e-12
    if log_alpha > 1:
        assert told_alone + kept > gauss


def test_the_sum_of_rho_is_never_below_the_privacy_loss_of_the_list() -> None:
    draw = random.Random(20)
    for _ in range(200):
        rhos = [int(10 ** draw.uniform(2, 8.5)) for _ in range(draw.randint(1, 40))]
        ours, pld = epsilon_of(sum(rhos), DELTA), pld_epsilon(rhos, DELTA)
        assert ours >= pld - 1e-9, rhos
        assert pld > 0.6 * ours, rhos  # and it is a figure of the same thing


def test_one_gaussian_of_the_summed_rho_is_the_composition_of_the_list() -> None:
    from dp_accounting.pld import privacy_loss_distribution as pld

    draw = random.Random(21)
    for _ in range(5):
        rhos = [int(10 ** draw.uniform(6, 8)) for _ in range(6)]
        composed = None
        for rho in rhos:
            one = pld.from_gaussian_mechanism(
                math.sqrt(NANO / (2 * rho)), value_discretization_interval=1e-4, use_connect_dots=True
            )
            composed = one if composed is None else composed.compose(one)
        assert composed is not None
        assert pld_epsilon(rhos, DELTA) == pytest.approx(composed.get_epsilon_for_delta(1e-6), rel=1e-3)


def test_nothing_spent_is_nothing() -> None:
    assert pld_epsilon([], DELTA) == 0.0
