"""The page of questions asks what is answered, and names every function the refusals name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.oracle.extracts import DATASET

from enclave.query.expressions import ALLOWED
from enclave.query.price import prepare

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "questions.md").read_text(encoding="utf-8")
ASKED = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("sql", ASKED)
def test_what_the_page_asks_is_answered(sql: str) -> None:
    assert prepare(sql, DATASET, "1").rho > 0


def test_every_function_a_refusal_offers_stands_on_the_page() -> None:
    assert ASKED
    for name in re.findall(r"[A-Z_]{2,}", ALLOWED):
        assert name in PAGE, name
