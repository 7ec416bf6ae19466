"""Attack: tell from the answers who is in the extract, knowing everybody else and asking through the whole path.

What is guessed never proves more than the ε that was claimed; with a tenth of the noise it does. A short run is part of
every test run; `make audit` guesses ten times as many, at more prices, and prints its bounds.
"""

from __future__ import annotations

from collections.abc import Callable
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
MATRIX = [(f"SELECT {BY}, SSCP(change, fee) AS m FROM visits GROUP BY {BY}", "m")]
"""Whose entries a canary moves all at once, as far as its row can: in pure ε that is the sum of what is paid for."""

SURELY = 1e-7
"""In pure ε what is guessed comes up to the very ε that is claimed: a bound that holds in 95 of 100 runs would be passed
by chance in the other five."""


def audited(
    folder: Path,
    questions: list[tuple[str, str]],
    epsilon: str,
    seeds: range,
    less_noise: int = 1,
    *,
    pure: bool = False,
) -> tuple[float, float]:
    """The lower bound found, and the ε claimed."""
    correct = guesses = 0
    claimed = 0.0
    with pytest.MonkeyPatch.context() as patched:
        for name in ("noisy", "laplaced"):
            patched.setattr(mechanisms, name, quieter(getattr(mechanisms, name), less_noise))
        for seed in seeds:
            (right, of), claimed = guessed(folder, questions, epsilon, seed, pure=pure)
            correct, guesses = correct + right, guesses + of
    return lower_bound(correct, guesses, SURELY if pure else 0.05), claimed


def quieter(noised: Callable[[list[int], int], list[int]], times: int) -> Callable[[list[int], int], list[int]]:
    return lambda vector, scale: noised(vector, max(1, scale // times))


@pytest.mark.parametrize(
    ("questions", "epsilon", "pure"),
    [(ONE, "1", False), (SEVERAL, "0.5", False), (SEVERAL, "0.5", True), (MATRIX, "2", True)],
    ids=["one", "several", "several-pure", "matrix-pure"],
)
def test_guesses_never_prove_more_than_was_claimed(
    tmp_path: Path, questions: list[tuple[str, str]], epsilon: str, pure: bool
) -> None:
    found, claimed = audited(tmp_path, questions, epsilon, range(1), pure=pure)
    assert found <= claimed


@pytest.mark.parametrize(
    ("questions", "pure"), [(ONE, False), (ONE, True), (MATRIX, True)], ids=["zcdp", "pure", "matrix-pure"]
)
def test_control_with_a_tenth_of_the_noise_they_prove_more(
    tmp_path: Path, questions: list[tuple[str, str]], pure: bool
) -> None:
    found, claimed = audited(tmp_path, questions, "1", range(1), less_noise=10, pure=pure)
    assert found > 1.5 * claimed


@pytest.mark.audit
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("epsilon", ["0.3", "1", "3", "6"])
@pytest.mark.parametrize("questions", [ONE, SEVERAL, MATRIX], ids=["one", "several", "matrix"])
@pytest.mark.parametrize("pure", [False, True], ids=["zcdp", "pure"])
def test_nor_do_thousands_of_guesses(
    tmp_path: Path, questions: list[tuple[str, str]], epsilon: str, pure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found, claimed = audited(tmp_path, questions, epsilon, range(10), pure=pure)
    with capsys.disabled():
        named = f"{len(questions)} question(s){', pure' if pure else ''}"
        print(f"\n  {named}: claimed ε = {claimed:.3f}, canaries prove ε ≥ {found:.3f}")
    assert found <= claimed


@pytest.mark.audit
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("epsilon", "pure"), [("1", False), ("0.5", True)], ids=["zcdp", "pure"])
def test_control_the_thousands_see_a_tenth_of_the_noise(
    tmp_path: Path, epsilon: str, pure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found, claimed = audited(tmp_path, SEVERAL, epsilon, range(10), less_noise=10, pure=pure)
    with capsys.disabled():
        print(f"\n  control, a tenth of the noise: claimed ε = {claimed:.3f}, canaries prove ε ≥ {found:.3f}")
    assert found > 1.5 * claimed


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert lower_bound(50, 100) == 0
    assert upper_tail(10, 10, 0.5) == pytest.approx(2**-10)
    assert lower_bound(100, 100) == pytest.approx(3.48, abs=0.02)  # 0.05^(1/100) = 0.9705
    assert lower_bound(80, 100) < lower_bound(90, 100)
