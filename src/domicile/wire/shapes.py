"""What crosses between the two sides, as frozen, validated values. Unknown fields are refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | int | float | bool
OUTPUT_MIME = "application/vnd.domicile.output+json"
MAX_REQUEST = 24 * 1024 * 1024
"""Bytes of one request to the enclave's door: a notebook and its parameters, spelled as JSON."""


class Shape(BaseModel):
    """Base of everything on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EnvironmentCard(Shape):
    """What a notebook finds behind the wall: the lock of its packages, and the SHA-256 of that text."""

    requirements: str
    digest: str


class VariableCard(Shape):
    """One column as the dictionary declares it; nothing here was read from data."""

    name: str
    kind: Literal["integer", "decimal", "text", "code", "key", "date", "boolean", "prose"]
    title: str = ""
    title_zh: str = ""
    lower: float | None = None
    upper: float | None = None
    codes: tuple[str, ...] | None = None
    nullable: bool = True
    unit: str = ""
    per_person: int | None = Field(
        default=None, description="of a key that nobody lists: of how many of its values a person is counted in"
    )


class TableCard(Shape):
    """One table: its columns, the facets its norms were stored for, and the joins that count each row once."""

    name: str
    title: str = ""
    title_zh: str = ""
    variables: tuple[VariableCard, ...]
    facets: tuple[str, ...] = ()
    joins: tuple[str, ...] = Field(default=(), description="`visits.patient_id = patients.patient_id` and the like")
    registers: tuple[str, ...] = Field(default=(), description="person registers it draws on beside the dataset's")
    public: bool = Field(
        default=False, description="a list that explains codes: nobody's rows, joined to a column of its codes"
    )


class DatasetCard(Shape):
    """What anybody with an account may know of a dataset (`describe`)."""

    name: str
    version: int
    title: str = ""
    title_zh: str = ""
    grade: int
    domain: str
    openness: str = Field(default="", description="closed, conditional or unconditional; empty where nobody has said")
    legal_basis: str = Field(default="", description="the law or decision the openness rests on")
    unit: str
    person_register: str
    delta: float
    demo: bool
    digest: str
    policy_digest: str
    tables: tuple[TableCard, ...]
    thresholds: dict[str, Any] = Field(default_factory=dict, description="disclosure thresholds of `domicile.rules`")


class MechanismCard(Shape):
    """One private column of an answer: which mechanism, at what sensitivity and price, under which bound."""

    column: str
    mechanism: Literal[
        "discrete_gaussian", "exponential", "thresholded_gaussian", "discrete_laplace", "permute_and_flip"
    ]
    sensitivity: float = Field(
        description="l2 (of Laplace noise l1), in units of the column; for a choice, what one person moves any score by"
    )
    scale: float = Field(description="noise standard deviation, in units of the column; for a choice, of its scores")
    rho: int = Field(description="nano-rho")
    epsilon: float | None = Field(default=None, description="pure epsilon, where that is what is counted")
    bound: str = Field(description="in words: which norm, which clip")
    one_per_person: bool = Field(
        default=False, description="True when nobody counts more than once, in one group: no row was weighed down"
    )
    clip: int | None = Field(default=None, description="C of that norm; None where no clip is needed")
    clip_by: Literal["policy", "advisor"] | None = Field(default=None, description="who chose it")
    clipped: float | None = Field(
        default=None, description="the most that clipping took from one group, by the paid profile (95 %)"
    )
    clipped_about: float | None = Field(default=None, description="estimated share of everything that was weighed away")


class AccountCard(Shape):
    """One budget account as people see it: (ε, δ) figures; they need not add up (design §4)."""

    kind: Literal["population", "project", "researcher"]
    name: str
    epsilon_cap: float
    epsilon_spent: float
    epsilon_left: float
    delta: float
    keys_delta_cap: float = Field(default=0.0, description="what finding unlisted keys may add to delta")
    keys_delta_spent: float = 0.0
    rho_cap: int
    rho_spent: int
    frozen: bool = False
    incidents: int = Field(default=0, description="failed charged questions: what the guarantee does not cover")
    pure: bool = Field(default=False, description="counted in pure epsilon: figures add up, and delta is 0")
    more_such: int | None = Field(default=None, description="how many more questions of this price fit")


class Quote(Shape):
    """The price of a question, from text and dictionary alone."""

    dataset: str
    version: int
    epsilon: float
    delta: float
    keys_delta: float = Field(
        default=0.0, description="what finding keys that nobody lists adds to delta, charged to every account"
    )
    rho: int = Field(description="nano-rho; of a question in pure epsilon what the person register pays")
    pure: bool = Field(default=False, description="True when project and researcher pay epsilon alone: no delta")
    reply_ms: int
    columns: tuple[str, ...]
    mechanisms: tuple[MechanismCard, ...]
    accounts: tuple[AccountCard, ...] = ()
    reused: bool = Field(default=False, description="True when the project already holds these very bytes: free")
    rho_due: int | None = Field(
        default=None, description="what would be charged now: less than rho when the project holds a coarser answer"
    )
    epsilon_due: float | None = None


class AnswerHead(Shape):
    """What travels beside an answer's Arrow table."""

    answer: str = Field(description="id, named by outputs that are drawn from it")
    sql: str
    quote: Quote
    epsilon_spent: float = Field(description="0.0 when the stored answer was returned")
    rho_spent: int
    keys_delta_spent: float = Field(default=0.0, description="charged beside ε for finding keys that nobody lists")
    ledger_head: str
    notes: tuple[str, ...] = ()


class Problem(Shape):
    """The one error shape of the product."""

    code: str
    words: str
    words_zh: str
    place: str | None = None


class OwnErrorCard(Shape):
    """Where a notebook's own code failed: class, cell (from 0) and line (from 1); never its message."""

    name: str
    cell: int | None
    line: int | None


class RunCard(Shape):
    """A run as its owner sees it (lane `dp`)."""

    run: str
    project: str
    dataset: str
    state: Literal[
        "submitted", "waiting", "queued", "running", "finished", "refused", "failed", "cancelled", "killed", "skipped"
    ]
    stage: str = ""
    place: int | None = None
    """Which it is in the queue, 1 for the next; None when it does not wait."""
    cells_done: int = 0
    cells: int = 0
    questions: int = 0
    submitted_at: datetime
    ended_at: datetime | None = None
    why: str = ""
    error: OwnErrorCard | None = None
    declared: int = Field(default=0, description="outputs it declared; those not checked yet are not among `outputs`")
    outputs: tuple[OutputCard, ...] = ()

    @property
    def has_ended(self) -> bool:
        """True once nothing more will happen behind the wall."""
        return self.state not in ("submitted", "waiting", "queued", "running")

    @property
    def awaits_checks(self) -> bool:
        """True while a run that finished has outputs that no rule has looked at."""
        return self.state == "finished" and (
            len(self.outputs) < self.declared or any(o.state == "declared" for o in self.outputs)
        )


class StepForm(Shape):
    """One entry of a batch: a notebook with its parameters, or a grid of them, and what it follows."""

    name: str
    notebook: str = Field(description="a key of `notebooks`")
    parameters: dict[str, Scalar] = Field(default_factory=dict)
    grid: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict, description="one run for each combination")
    after: tuple[str, ...] = Field(default=(), description="entries that must have finished")
    epsilon: tuple[str, ...] = Field(description="of each question one such run asks, as decimals: what it may spend")
    priority: int = 0


class ScheduleForm(Shape):
    """When a plan is due: five fields of cron, in a time zone, until a day (the grant's last at most)."""

    cron: str = Field(max_length=128)
    timezone: str = Field(default="UTC", max_length=64)
    until: date = Field(description="the last day, in that time zone")
    times: int | None = Field(default=None, ge=1, le=1000, description="how often at most")


class BatchForm(Shape):
    """A plan of runs as it is handed in."""

    name: str = Field(min_length=1, max_length=128)
    project: str
    dataset: str
    notebooks: dict[str, str] = Field(description="file name → text")
    runs: tuple[StepForm, ...]
    schedule: ScheduleForm | None = None


class StepCard(Shape):
    """One run of a plan: what it may spend and, once submitted, where it is."""

    step: str
    notebook: str
    parameters: dict[str, Scalar]
    after: tuple[str, ...]
    rho: int = Field(description="nano-rho it may spend at most")
    epsilon: float | None = Field(default=None, description="pure epsilon it may spend at most, where that is counted")
    run: str | None = None
    state: str = ""
    cells_done: int = 0
    cells: int = 0
    questions: int = 0
    why: str = ""


class ScheduleCard(Shape):
    """How far a plan that recurs is."""

    cron: str
    timezone: str
    ends_at: datetime
    times: int | None
    due_at: datetime | None = Field(description="when its next occurrence is due; None when there is none")
    fired: int = Field(description="occurrences handed in")
    passed_over: int
    why: str = Field(description="in words: what kept the latest occurrence from being handed in")


class BatchCard(Shape):
    """A batch, or (`batch` empty) a plan that was priced and not submitted. Prices are upper bounds: the same question
    asked twice costs once."""

    batch: str
    digest: str
    name: str
    project: str
    dataset: str
    state: str
    steps: tuple[StepCard, ...]
    rho: int = Field(description="nano-rho all runs of all occurrences together may spend")
    occurrences: int = Field(default=1, description="how often its runs are handed in at most")
    schedule: ScheduleCard | None = None
    epsilon: float = Field(description="the same, as ε at the dataset's δ; or pure ε, where that is counted")
    pure: bool = Field(default=False, description="counted in pure epsilon")
    accounts: tuple[AccountCard, ...] = Field(description="what is left of the project and of the researcher")
    refusals: tuple[str, ...] = Field(default=(), description="why it may not be submitted now")
    submitted_at: datetime | None = None

    @property
    def counts(self) -> dict[str, int]:
        """State → how many runs are in it."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.state] = found.get(step.state, 0) + 1
        return found

    @property
    def has_ended(self) -> bool:
        """True once nothing more will happen behind the wall for it."""
        return self.state != "open" and not set(self.counts) & {"", "submitted", "waiting", "queued", "running"}


class OutputCard(Shape):
    """One declared output of a run."""

    output: str
    kind: Literal["table", "chart", "text", "model"]
    title: str
    state: Literal[
        "declared", "checked", "in review", "consolidated", "released", "returned", "refused", "withdrawn", "recalled"
    ]
    findings: tuple[Finding, ...] = ()
    why: str = ""


class Finding(Shape):
    """What a disclosure rule saw: which rule, how bad, where. Never the value itself."""

    rule: str
    verdict: Literal["pass", "review", "fail"]
    words: str
    words_zh: str
    place: str = ""


RunCard.model_rebuild()
OutputCard.model_rebuild()
