"""How does a rule say what it saw? A verdict, words in both languages, a place; never the value itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from domicile.wire.shapes import Finding
from domicile.wire.words import say

Verdict = Literal["pass", "review", "fail"]


class Malformed(ValueError):
    """What was handed in is no output bundle; the findings say where and why."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__("; ".join(f.words for f in findings))


def fail(rule: str, place: str = "", **facts: object) -> Finding:
    """The output must not leave as it is."""
    return _finding(rule, "fail", place, **facts)


def review(rule: str, place: str = "", **facts: object) -> Finding:
    """A person must look at this place."""
    return _finding(rule, "review", place, **facts)


def _finding(rule: str, verdict: Verdict, place: str, **facts: object) -> Finding:
    code = f"rules.{rule}"
    return Finding(
        rule=rule, verdict=verdict, words=say(code, "en", **facts), words_zh=say(code, "zh", **facts), place=place
    )


def failed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that forbid release."""
    return tuple(f for f in findings if f.verdict == "fail")
