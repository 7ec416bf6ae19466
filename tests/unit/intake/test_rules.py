"""The small form of row rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from enclave.intake.rules import Rule, parse


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a >= b", Rule("a >= b", "a", ">=", "b")),
        ("a <= -3.5", Rule("a <= -3.5", "a", "<=", Decimal("-3.5"))),
        ("a is present", Rule("a is present", "a", "present")),
        ("a in list", Rule("a in list", "a", "in", "list")),
    ],
)
def test_a_rule_reads_as(text: str, rule: Rule) -> None:
    assert parse(text) == rule


@pytest.mark.parametrize(
    "text", ["", "a", "a >= b and c", "a >= (select 1)", "count(*) > 5", "a >= 'x'", "a -- b", "a in (1)"]
)
def test_anything_else_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="a row rule is one of"):
        parse(text)
