"""What a bench writes down stands under names of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.run_all import RESULTS, told_apart

ISSUED = (
    "query.suite.median",
    "query.suite.worst",
    "query.suite.error_vs_best_peer",
    "query.quote_ms",
    "ledger.reservations_64",
)


def test_two_rows_of_one_name_are_refused() -> None:
    rows = [{"name": "query.suite.median", "value": 0.7}, {"name": "query.suite.worst", "value": 1.5}]
    assert told_apart(rows) == rows
    with pytest.raises(ValueError, match=r"query\.suite\.median"):
        told_apart([*rows, {"name": "query.suite.median", "value": 53.8}])


@pytest.mark.parametrize("name", ISSUED)
def test_what_is_promised_is_among_the_results(name: str) -> None:
    rows = json.loads(Path(RESULTS).read_text())
    told_apart(rows)
    (row,) = [row for row in rows if row["name"] == name]
    assert row["goal"] is not None


def test_the_median_of_the_suite_is_a_ratio() -> None:
    (row,) = [row for row in json.loads(Path(RESULTS).read_text()) if row["name"] == "query.suite.median"]
    assert row["unit"] == "×"
