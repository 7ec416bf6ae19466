"""What did a rehearsal ask, and at what price?

One line of JSON for each question that the twin answered, in the file that `DOMICILE_REHEARSAL` names, so that whoever
started the notebook can add up what it would cost.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from domicile.wire.shapes import AnswerHead

NOTES = "DOMICILE_REHEARSAL"


@dataclass(frozen=True)
class Noted:
    """One question: the answer's id (the same question has the same), its dataset and its price in nano-rho."""

    answer: str
    dataset: str
    rho: int


def note(head: AnswerHead) -> None:
    """Note an answer of the twin, when somebody wants to know."""
    path = os.environ.get(NOTES)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Noted(head.answer, head.quote.dataset, head.quote.rho))) + "\n")


def noted(path: Path) -> tuple[Noted, ...]:
    """All that was noted."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(Noted(**json.loads(line)) for line in lines)
