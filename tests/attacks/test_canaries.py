"""Attack: tell from the answers who is in the extract, knowing everybody else and asking through the whole path.

What is guessed never proves more than the ε that was claimed; with a tenth of the noise it does. A short run is part of
every test run; `make audit` guesses ten times as many, at more prices, and prints its bounds.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.oracle.canaries import guessed, lower_bound, upper_tail

from enclave.query import mechanisms

BY = "dept, los_days, urgent"
ONE = [(f"SELECT {BY}, COUNT(*) AS n FROM visits GROUP BY {BY}", "n")]
SEVERAL = [
    *ONE,
    (f"SELECT {BY}, SUM(change) AS s FROM visits GROUP BY {BY}", "s"),
    (f"SELECT {BY}, SUM(change * 2) AS s FROM visits WHERE fee > 0 GROUP BY {BY}", "s"),
]


def audited(
    folder: Path, questions: list[tuple[str, str]], epsilon: str, seeds: range, less_noise: int = 1
) -> tuple[float, float]:
    """The lower bound found, and the ε claimed."""
    correct = guesses = 0
    claimed = 0.0
    noisy = mechanisms.noisy
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mechanisms, "noisy", lambda vector, scale: noisy(vector, max(1, scale // less_noise)))
        for seed in seeds:
            (right, of), claimed = guessed(folder, questions, epsilon, seed)
            correct, guesses = correct + right, guesses + of
    return lower_bound(correct, guesses), claimed


@pytest.mark.parametrize(("questions", "epsilon"), [(ONE, "1"), (SEVERAL, "0.5")], ids=["one", "several"])
def test_guesses_never_prove_more_than_was_claimed(
    tmp_path: Path, questions: list[tuple[str, str]], epsilon: str
) -> None:
    found, claimed = audited(tmp_path, questions, epsilon, range(1))
    assert found <= claimed


def test_control_with_a_tenth_of_the_noise_they_prove_more(tmp_path: Path) -> None:
    found, claimed = audited(tmp_path, ONE, "1", range(1), less_noise=10)
    assert found > 1.5 * claimed


@pytest.mark.audit
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("epsilon", ["0.3", "1", "3", "6"])
@pytest.mark.parametrize("questions", [ONE, SEVERAL], ids=["one", "several"])
def test_nor_do_thousands_of_guesses(
    tmp_path: Path, questions: list[tuple[str, str]], epsilon: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, claimed = audited(tmp_path, questions, epsilon, range(10))
    with capsys.disabled():
        print(f"\n  {len(questions)} question(s): claimed ε = {claimed:.3f}, canaries prove ε ≥ {found:.3f}")
    assert found <= claimed


@pytest.mark.audit
@pytest.mark.timeout(3600)
def test_control_the_thousands_see_a_tenth_of_the_noise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, claimed = audited(tmp_path, SEVERAL, "1", range(10), less_noise=10)
    with capsys.disabled():
        print(f"\n  control, a tenth of the noise: claimed ε = {claimed:.3f}, canaries prove ε ≥ {found:.3f}")
    assert found > 1.5 * claimed


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert lower_bound(50, 100) == 0
    assert upper_tail(10, 10, 0.5) == pytest.approx(2**-10)
    assert lower_bound(100, 100) == pytest.approx(3.48, abs=0.02)  # 0.05^(1/100) = 0.9705
    assert lower_bound(80, 100) < lower_bound(90, 100)
