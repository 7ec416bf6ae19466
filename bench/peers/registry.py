"""Which peers are asked, how does each count its budget, and what can it not express?

What a peer cannot express was tried on these versions; the words are the reason, and they are told in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

HERE = Path(__file__).parent


class Accounting(StrEnum):
    """How one total (ε, δ) is divided among questions."""

    ZCDP = "zCDP: an equal share of the ρ of the total"
    COLUMNS = "sequential ε, an equal share for every noisy column (less than its advanced composition would need)"
    SEQUENTIAL = "sequential (ε, δ), an equal share for every question"
    GAUSSIANS = "Gaussians composed exactly, by the events it reports"


@dataclass(frozen=True)
class Peer:
    """One other engine. `goal` is the least factor by which we are to be faster."""

    name: str
    title: str
    package: str
    script: str
    accounting: Accounting
    goal: float
    cannot: Mapping[str, str] = field(default_factory=dict)
    """By measure or by name of a form."""
    answers: int = 4
    """How many it gives to a question at least, the first for warming up; fewer of those that take a minute for each."""

    @property
    def requirements(self) -> Path:
        return HERE / "requirements" / f"{self.name}.txt"

    @property
    def version(self) -> str:
        locked = (line.split(" ")[0] for line in self.requirements.read_text().splitlines())
        return next(line.split("==")[1] for line in locked if line.split("==")[0].split("[")[0] == self.package)


SURVIVAL = "no survival curve"
UNLISTED = "not asked yet: keys that nobody lists, which it finds by noisy counts of its own"

PEERS = (
    Peer(
        "opendp",
        "OpenDP Polars",
        "opendp",
        "opendp_polars.py",
        Accounting.ZCDP,
        20.0,
        {"survival": SURVIVAL, "unlisted": UNLISTED},
    ),
    Peer(
        "smartnoise",
        "SmartNoise SQL",
        "smartnoise-sql",
        "smartnoise.py",
        Accounting.COLUMNS,
        20.0,
        {"median": "MEDIAN does not parse", "survival": SURVIVAL, "unlisted": UNLISTED},
    ),
    Peer(
        "tumult",
        "Tumult Analytics",
        "tmlt-analytics",
        "tumult.py",
        Accounting.ZCDP,
        20.0,
        {"survival": SURVIVAL, "unlisted": UNLISTED},
        answers=2,
    ),
    Peer(
        "pipelinedp",
        "PipelineDP",
        "pipeline-dp",
        "pipelinedp.py",
        Accounting.SEQUENTIAL,
        20.0,
        {"survival": SURVIVAL, "unlisted": UNLISTED},
        answers=2,
    ),
    Peer(
        "qrlew",
        "Qrlew",
        "pyqrlew",
        "qrlew.py",
        Accounting.GAUSSIANS,
        5.0,
        {"median": "MEDIAN panics: not yet implemented", "survival": SURVIVAL, "unlisted": UNLISTED},
    ),
)
