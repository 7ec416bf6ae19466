"""Is what `make bench-peers` compares complete and fair in its numbers?"""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from bench.peers import oracle, report
from bench.peers.budget import delta_of, multiplier_of
from bench.peers.facts import Facts
from bench.peers.registry import HERE, PEERS, Peer
from bench.peers.shapes import DESCRIBED, Shape
from bench.questions import SUITE
from dp_accounting import dp_event
from dp_accounting.pld import PLDAccountant


def test_every_form_of_the_suite_is_worded_for_peers() -> None:
    assert {form.name for form in SUITE} <= set(DESCRIBED)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_environments_are_locked_with_hashes_and_name_no_index(peer: Peer) -> None:
    locked = peer.requirements.read_text()
    pinned = [line for line in locked.splitlines() if line and line[0] not in " #"]
    assert pinned and all("==" in line and line.endswith("\\") for line in pinned)
    assert "--hash=sha256:" in locked
    assert "://" not in locked and "--index" not in locked
    assert peer.version in locked


@pytest.mark.parametrize("count", [1, 16])
def test_gaussians_that_share_one_total_compose_to_it(count: int) -> None:
    multiplier = multiplier_of(1.0, 1e-6) * math.sqrt(count)
    accountant = PLDAccountant()
    accountant.compose(dp_event.GaussianDpEvent(multiplier), count)
    assert accountant.get_epsilon(1e-6) == pytest.approx(1.0, abs=2e-3)
    assert delta_of(0.99 * multiplier_of(1.0, 1e-6), 1.0) > 1e-6  # less noise would not do


def _kept(peer: str, form: str, error: float, speedup: float = 30.0) -> dict[str, Any]:
    return {"peer": peer, "form": form, "error": error, "speedup": speedup, "seconds": 1.0, "ours": 0.1, "answers": 4}


def test_a_question_counts_as_its_worst_form_beside_the_best_peer() -> None:
    lines = [
        _kept("ours", "count.one_key", 0.01),
        _kept("ours", "count.two_keys", 0.09),
        _kept("ours", "median", 0.0),
        _kept("ours", "per_person", 0.5),  # which no peer was asked: no ratio
        _kept("qrlew", "count.one_key", 0.02),
        _kept("opendp", "count.one_key", 0.10),
        _kept("opendp", "count.two_keys", 0.10, speedup=7.0),
        _kept("opendp", "median", 0.0),
        {"peer": "qrlew", "form": "median", "cannot": "not implemented"},
    ]
    rows = {row["name"]: row for row in report.rows_of(lines)}
    assert rows["query.suite.error_vs_best_peer"]["value"] == pytest.approx((0.9 + 1.0) / 2)
    assert rows["query.suite.error_behind"]["holds"]
    assert rows["query.peer.opendp.speedup"]["value"] == 7.0
    assert not rows["query.peer.opendp.speedup"]["holds"]
    assert rows["query.peer.tumult.speedup"]["value"] is None
    assert not rows["query.peer.tumult.speedup"]["holds"]


ENGINE = """
from loop import serve

class Engine:
    def load(self, rows, scratch):
        print("words of a library")

    def ask(self, shape, bounds, budget):
        if shape["measure"] == "sum":
            raise ValueError("no sums\\nhere")
        return [(("CARD",), 1.0)]

serve(Engine())
"""


def test_an_engine_that_prints_or_fails_still_keeps_to_one_answer_a_line(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(ENGINE)
    (tmp_path / "loop.py").write_text((HERE / "engines" / "loop.py").read_text())
    asked = (
        '{"verb": "load", "rows": "", "scratch": ""}\n'
        '{"verb": "ask", "shape": {"measure": "count"}, "bounds": {}, "budget": {}}\n'
        '{"verb": "ask", "shape": {"measure": "sum"}, "bounds": {}, "budget": {}}\n'
    )
    command = [sys.executable, str(tmp_path / "engine.py")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=60)
    loaded, answered, failed = done.stdout.splitlines()
    assert '"seconds"' in loaded
    assert '"cells": [["CARD", 1.0]]' in answered
    assert failed == '{"failed": "ValueError: no sums here"}'
    assert "words of a library" in done.stderr


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Invented visits: 40 persons, three departments, up to nine visits each."""
    rows = duckdb.connect()
    rows.execute(
        "CREATE TABLE visits AS SELECT p AS patient_id, 'd' || (hash(p, v) % 3) AS dept, hash(v, p, 1) % 900 AS fee "
        "FROM range(40) AS a(p), range(9) AS b(v) WHERE hash(v, p, 2) % 3 < 1 + p % 2"
    )
    form = next(form for form in SUITE if form.name == "sum.one_key")
    return Facts(Shape(form, DESCRIBED[form.name], (("d0",), ("d1",), ("d2",)), None), rows)


@pytest.mark.parametrize("bounds", [{"rows": 2}, {"groups": 2, "each": 1}, {"each": 2}], ids=str)
@pytest.mark.parametrize("peer", [p for p in PEERS if p.name in ("opendp", "tumult")], ids=lambda peer: peer.name)
def test_kinds_of_lines_are_bounded_as_every_line_would_be(facts: Facts, peer: Peer, bounds: dict[str, float]) -> None:
    of_line, kinds = facts.kinds
    share = oracle._kept(peer, kinds, bounds)
    assert len(kinds.cell) < len(facts.cell)
    assert np.array_equal(kinds.rows[of_line], facts.rows) and np.array_equal(kinds.groups[of_line], facts.groups)
    each = facts.by_cell(facts.sums(300) * share[of_line])
    assert facts.kept("upper 300", facts.sums(300), share) == pytest.approx(each)
    assert 0 < each.sum() < facts.sums(300).sum()
