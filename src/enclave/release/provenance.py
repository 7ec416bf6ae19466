"""Where does a release come from? Everything its receipt says that the outputs themselves do not show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domicile.wire.words import say

ONE_USER = "one user: no wall between console and data"


@dataclass(frozen=True)
class RunFacts:
    """The run a release comes from. `executed` is the notebook rebuilt from the source the enclave held."""

    run: str
    owner: str
    project: str
    lane: str
    notebook_name: str
    notebook_sha256: str
    parameters: Mapping[str, Any]
    environment: str
    executed: bytes


@dataclass(frozen=True)
class DatasetFacts:
    """The extract that was asked."""

    name: str
    version: int
    digest: str
    file_digest: str
    policy_digest: str
    demo: bool
    unit: str


@dataclass(frozen=True)
class BudgetFacts:
    """What the run newly spent. ε and δ are decimal texts: receipts hold no floats."""

    epsilon_spent: str
    delta: str
    rho_spent: int
    answers: tuple[str, ...]
    ledger_head: str


@dataclass(frozen=True)
class Provenance:
    """Run, data and budget of one release, the walls it ran behind, and what ε does not cover."""

    run: RunFacts
    dataset: DatasetFacts
    budget: BudgetFacts
    process_wall: str
    not_covered: tuple[str, ...] = ()


def covers(provenance: Provenance) -> dict[str, Any]:
    """What ε is a statement about, in both languages, and what it is not about."""
    facts = {"unit": provenance.dataset.unit, "delta": provenance.budget.delta}
    return {
        "lane": provenance.run.lane,
        "en": say("release.covers", "en", **facts),
        "zh": say("release.covers", "zh", **facts),
        "not_covered": list(provenance.not_covered),
    }
