"""Is what `make bench-peers` compares complete and fair in its numbers?"""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench.peers import report
from bench.peers.budget import delta_of, multiplier_of
from bench.peers.registry import HERE, PEERS, Peer
from bench.peers.shapes import DESCRIBED
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
