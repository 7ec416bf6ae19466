"""What a rehearsal asked is held against what the project has left, in the measure it is counted in."""

from __future__ import annotations

from pathlib import Path

import pytest

from domicile.client.rehearsal import NOTES, Rehearsed, note, noted
from domicile.wire.shapes import AccountCard, AnswerHead, Quote


def head(answer: str, *, rho: int, epsilon: float, pure: bool) -> AnswerHead:
    quote = Quote(
        dataset="hospital", version=1, epsilon=epsilon, delta=0.0 if pure else 1e-6, rho=rho, pure=pure, reply_ms=100,
        columns=(), mechanisms=(),
    )  # fmt: skip
    return AnswerHead(
        answer=answer, sql="SELECT 1", quote=quote, epsilon_spent=0.0, rho_spent=0, ledger_head="", notes=()
    )


def account(*, pure: bool) -> AccountCard:
    rho = 0 if pure else 100
    return AccountCard(
        kind="project", name="p", epsilon_cap=4.0, epsilon_spent=1.0, epsilon_left=3.0, delta=0.0, rho_cap=10 * rho,
        rho_spent=2 * rho, pure=pure,
    )  # fmt: skip


@pytest.mark.parametrize(("pure", "told"), [(True, ("epsilon", 0.75, 3.0)), (False, ("rho", 60, 800))])
def test_the_same_question_is_counted_once_in_the_measure_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pure: bool, told: tuple[str, float, float]
) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path / "notes"))
    for answer, rho, epsilon in (("a", 20, 0.5), ("b", 40, 0.25), ("a", 20, 0.5)):
        note(head(answer, rho=rho, epsilon=epsilon, pure=pure))
    done = Rehearsed(noted(tmp_path / "notes"), ())
    assert done.against(account(pure=pure)) == told
    assert done.against(None)[2] is None, "an account that nobody opened yet"
