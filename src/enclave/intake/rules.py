"""Which rows are left out, and by which stated rule?

A rule compares two things of one row: `discharged_at >= admitted_at`, `los_days <= 365`, `sex in sex`, `sex is present`.
The form is this small so that no rule can look at another row. A row fails a comparison only when it is false: a missing
value contradicts nothing (say `is present` to demand one). Rows that fail are counted for the steward, by rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NAME = r"[^\W\d_]\w{0,63}"
_NUMBER = r"-?\d{1,18}(?:\.\d{1,6})?"
_COMPARE = re.compile(rf"^({_NAME}) (<=|>=|<|>|=|!=) ({_NAME}|{_NUMBER})$")
_PRESENT = re.compile(rf"^({_NAME}) is present$")
_SUM = re.compile(rf"^({_NAME}) = sum\(({_NAME}(?:, ?{_NAME})*)\)$")
_LISTED = re.compile(rf"^({_NAME}) in ({_NAME})$")

FORMS = "`a >= b`, `a <= 365`, `a is present`, `a in LIST`, `a = sum(b, c)` (b, c columns of the same row, LIST a code list)"


@dataclass(frozen=True)
class Rule:
    """One row rule: `text` as signed; what it compares."""

    text: str
    left: str
    operator: str
    right: str | Decimal | tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns it reads."""
        if isinstance(self.right, tuple):
            return (self.left, *self.right)
        right = (self.right,) if isinstance(self.right, str) and self.operator != "in" else ()
        return (self.left, *right)


def parse(text: str) -> Rule:
    """ValueError for anything but the forms above."""
    words = " ".join(text.split())
    if match := _PRESENT.match(words):
        return Rule(text, match[1], "present")
    if match := _LISTED.match(words):
        return Rule(text, match[1], "in", match[2])
    if match := _SUM.match(words):
        return Rule(text, match[1], "sum", tuple(part.strip() for part in match[2].split(",")))
    if match := _COMPARE.match(words):
        number = re.fullmatch(_NUMBER, match[3])
        return Rule(text, match[1], match[2], Decimal(match[3]) if number else match[3])
    raise ValueError(f"a row rule is one of {FORMS}")
