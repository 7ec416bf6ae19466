"""What a report says of the ledger, and how its two figures stand to each other."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

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


def test_other_mechanisms_and_delta_have_no_list_of_gaussians(place: Place, ledger: Ledger) -> None:
    spend(ledger, 1_000_000, "q", gaussian=1_000_000)
    assert report(place, project("p"), {}, DELTA).epsilon_pld is not None  # the control
    spend(ledger, 1_000_000, "quantile", gaussian=0)
    assert report(place, project("p"), {}, DELTA).epsilon_pld is None
    spend(ledger, 1_000_000, "keys", gaussian=1_000_000, delta=1)
    assert not report(place, population("cn"), {}, DELTA).all_gaussian


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
