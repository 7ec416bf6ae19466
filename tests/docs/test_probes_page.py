"""The page of probes is what `sandbox/` says, covers every subject, and names tests that exist."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def listing() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "list_probes.py"))


def test_the_page_is_what_the_sandbox_says(listing: dict[str, Any]) -> None:
    assert listing["PAGE"].read_text(encoding="utf-8") == listing["page"](), "run `python docs/list_probes.py`"


def test_every_subject_is_tried_and_every_probe_has_one(listing: dict[str, Any]) -> None:
    told = listing["load"]()
    rows = [entry["row"] for entry in told["row"]]
    assert rows == list(range(1, 59))
    assert [entry["finding"] for entry in told["finding"]] == list(range(1, 11))
    tried = {probe.row for probe in listing["PROBES"].values()}
    assert tried <= set(rows)
    assert [e["row"] for e in told["row"] if e["row"] not in tried and not e.get("tests")] == []
    assert len(listing["PROBES"]) >= 200


def test_every_test_it_names_exists(listing: dict[str, Any]) -> None:
    told = listing["load"]()
    for entry in (*told["row"], *told["finding"]):
        for named in entry.get("tests", ()):
            path, _, test = named.partition("::")
            assert re.search(rf"^def {test}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE), named
