"""What `domicile dataset` draws of what was bought: numbers with intervals, small pictures, words where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.oracle import profiles
from tests.oracle.extracts import DATASET, random_rows

from domicile.cli import shelf
from domicile.client import ProblemError
from domicile.wire import told
from domicile.wire.known import BoughtCard, FreshnessCard, KnownCard, UseCard
from enclave.catalogue import card
from enclave.profile import summaries

PROFILE = profiles.exact(DATASET, random_rows(500, seed=3))
SUMMARIES = {(s.table, s.variable): s for s in summaries(replace(DATASET, profile=PROFILE))}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FRESH = FreshnessCard(
    shelved_at=NOW, versions=2, every_days=30.5, covers_from=None, covers_to=None, renewed="monthly", due_on=None
)
BOUGHT = BoughtCard(epsilon="0.2", delta=1e-6, rho=5, bought_at=NOW, registers=("home",), noise=3.5, digest="d" * 64)
KNOWN = KnownCard(
    dataset="small", version=1, freshness=FRESH, use=UseCard(projects=1, active=1, runs=3, questions=9), bought=BOUGHT,
    summaries=tuple(SUMMARIES.values()),
)  # fmt: skip


def test_a_table_shows_missing_shares_shapes_and_summaries_where_they_were_bought(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dataset = card(DATASET)
    visits = next(t for t in dataset.tables if t.name == "visits")
    shelf._show(dataset, visits, SUMMARIES)
    shown = " ".join(capsys.readouterr().out.split())
    assert "missing" in shown and "median" in shown and "█" in shown and "%" in shown
    shelf._show(dataset, visits, {})
    plain = " ".join(capsys.readouterr().out.split())
    assert "missing" not in plain and "may be" in plain, "nothing bought: the dictionary alone"


def test_a_variable_is_drawn_as_bars_with_their_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    shelf._drawn(SUMMARIES["visits", "dept"], json=False)
    shown = capsys.readouterr().out
    assert all(f" {dept} " in shown for dept in "ABCDEF") and "█" in shown and "…" in shown


def test_what_was_not_bought_is_refused_by_its_name() -> None:
    assert shelf._bought(KNOWN, "visits.dept").variable == "dept"
    with pytest.raises(ProblemError) as refused:
        shelf._bought(KNOWN, "visits.score")
    assert refused.value.code == "known.no_summary" and "visits.score" in str(refused.value)


def test_the_twin_says_what_it_is_made_of() -> None:
    assert "private marginals" in told.twin(KNOWN, "en") and "ε = 0.2" in told.twin(KNOWN, "zh")
    free = KNOWN.model_copy(update={"bought": None, "summaries": ()})
    assert "dictionary alone" in told.twin(free, "en")
    assert told.twin(KNOWN, "en") in list(told.lines(KNOWN, "en"))
