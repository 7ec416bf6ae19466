"""A model is one SELECT; what cannot be asked like this is said before anything is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domicile.models import Crosstab, LinearRegression, Survival, Unclear
from domicile.wire.words import catalogue

TIMES: dict[str, Any] = {"source": "lives", "every": 30, "until": 100}


def test_a_regression_is_one_select() -> None:
    asked = LinearRegression(
        "LEAST(los_days, 30)", ["age", "sex"], "visits JOIN patients USING (patient_id)", "age > 17"
    )
    assert asked.sql == (
        "SELECT SSCP(LEAST(los_days, 30), age, sex) AS total\nFROM visits JOIN patients USING (patient_id)\nWHERE age > 17"
    )
    assert asked.names == ["age", "sex"]
    named = LinearRegression("los_days", {"old": "age > 64"}, "visits")
    assert (named.names, named.sql) == (["old"], "SELECT SSCP(los_days, age > 64) AS total\nFROM visits")


def test_a_survival_question_is_one_select() -> None:
    asked = Survival("days", "back", by="sex", **TIMES)
    assert asked.sql == (
        "SELECT HISTOGRAM(days, [0, 30, 60, 90, 100]) AS step, (back) = TRUE AS happened, sex AS stratum, "
        "COUNT(*) AS persons\nFROM lives\nGROUP BY 1, 2, 3"
    )
    assert "stratum" not in Survival("days", "back", **TIMES).sql


def test_intervals_are_written_as_plain_decimals() -> None:
    asked = Survival("t", "e", "lives", every="0.1", until=Decimal("0.3"))
    assert "[0, 0.1, 0.2, 0.3]" in asked.sql
    assert "[0, 1000000, 2000000]" in Survival("t", "e", "lives", every=1e6, until=2e6).sql


def test_a_cross_table_is_one_select() -> None:
    asked = Crosstab({"band": "age_band", "ill": "diabetes"}, "patients", count="COUNT(DISTINCT patient_id)")
    assert asked.sql == (
        "SELECT age_band AS key_1, diabetes AS key_2, COUNT(DISTINCT patient_id) AS n\nFROM patients\nGROUP BY 1, 2"
    )


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: LinearRegression("", ["age"], "visits"), "models.needs_text"),
        (lambda: LinearRegression("y", ["age"], " "), "models.needs_text"),
        (lambda: LinearRegression("y", [3], "visits"), "models.needs_text"),  # type: ignore[list-item]
        (lambda: LinearRegression("y", [], "visits"), "models.needs_columns"),
        (lambda: LinearRegression("y", "age", "visits"), "models.needs_columns"),
        (lambda: LinearRegression("y", ["age", " age"], "visits"), "models.column_twice"),
        (lambda: LinearRegression("y", ["age"], "visits", reference={"sex": "F"}), "models.reference"),
        (lambda: LinearRegression("y", ["age"], "visits", confidence=95), "models.confidence"),
        (lambda: LinearRegression("y", ["age"], "visits", confidence=float("nan")), "models.confidence"),
        (lambda: LinearRegression("y", ["age"], "visits", where=""), "models.needs_text"),
        (lambda: Survival("t", "e", "lives", every=0, until=10), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every=-1, until=10), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every=10, until=10), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every=1, until=10_000), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every="nan", until=10), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every="a month", until=10), "models.intervals"),
        (lambda: Survival("t", "e", "lives", every=1, until=float("inf")), "models.intervals"),
        (lambda: Crosstab([], "patients"), "models.needs_columns"),
        (lambda: Crosstab(["sex"], "patients", count=""), "models.needs_text"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(make: Any, code: str) -> None:
    with pytest.raises(Unclear) as unclear:
        make()
    assert unclear.value.code == code
    assert str(unclear.value)
    assert all(catalogue()[code][language].format(**unclear.value.facts) for language in ("en", "zh"))
