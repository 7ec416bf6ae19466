"""What does a refusal look like to the researcher? One error, whose message is the words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from domicile.wire.shapes import Problem
from domicile.wire.words import preferred_language, say


class ProblemError(Exception):
    """The enclave, or this client, refused: `problem` says what, where and what to do."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        words = problem.words_zh if preferred_language() == "zh" else problem.words
        super().__init__(f"{words} ({problem.place})" if problem.place else words)

    @property
    def code(self) -> str:
        return self.problem.code


def refusal(name: str, *, place: str | None = None, **facts: object) -> ProblemError:
    """A refusal of our own: words `client.NAME`."""
    return refused(f"client.{name}", place=place, **facts)


def refused(code: str, *, place: str | None = None, **facts: object) -> ProblemError:
    """A refusal in the words of `code`."""
    words, words_zh = say(code, "en", **facts), say(code, "zh", **facts)
    return ProblemError(Problem(code=code, words=words, words_zh=words_zh, place=place))


def received(value: Any, status: int | str) -> ProblemError:
    """The refusal that was received, or that what was received is none."""
    try:
        return ProblemError(Problem.model_validate(value))
    except ValidationError:
        return refusal("unexpected", status=status)
