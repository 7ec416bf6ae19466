"""What did a rehearsal ask, and at what price?

One line of JSON for each question that the twin answered, in the file that `DOMICILE_REHEARSAL` names, so that whoever
started the notebook can add up what it would cost.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from domicile.wire.shapes import AccountCard, AnswerHead

NOTES = "DOMICILE_REHEARSAL"


@dataclass(frozen=True)
class Noted:
    """One question: the answer's id (the same question has the same), its dataset and its price: nano-rho, and ε where that
    is what the project counts."""

    answer: str
    dataset: str
    rho: int
    epsilon: float | None = None


@dataclass(frozen=True)
class Rehearsed:
    """What came of a rehearsal: the questions as they were priced, and the titles of what was declared."""

    questions: tuple[Noted, ...]
    outputs: tuple[str, ...]

    @property
    def rho(self) -> int:
        """Nano-rho of all different questions together."""
        return sum({q.answer: q.rho for q in self.questions}.values())

    @property
    def epsilon(self) -> float:
        """The same in ε, of those that a project in pure ε would pay."""
        return math.fsum({q.answer: q.epsilon or 0.0 for q in self.questions}.values())

    def against(self, account: AccountCard | None) -> tuple[str, float, float | None]:
        """In which measure the project is counted (`rho` in nano-rho, or `epsilon`), what the questions cost in it, and
        what is left; None where no such account is seen."""
        if account is not None and account.pure:
            return "epsilon", self.epsilon, account.epsilon_left
        return "rho", self.rho, None if account is None else account.rho_cap - account.rho_spent


def note(head: AnswerHead) -> None:
    """Note an answer of the twin, when somebody wants to know."""
    path = os.environ.get(NOTES)
    if path:
        quote = head.quote
        asked = Noted(head.answer, quote.dataset, quote.rho, quote.epsilon if quote.pure else None)
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(asked)) + "\n")


def noted(path: Path) -> tuple[Noted, ...]:
    """All that was noted."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(Noted(**json.loads(line)) for line in lines)
