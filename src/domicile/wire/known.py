"""What is known of a dataset beside its dictionary: what was bought of its persons, how fresh it is, how it is used."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from domicile.wire.shapes import AccountCard, Shape


class EstimateCard(Shape):
    """A noisy figure and its interval: 95 %, of the noise."""

    value: float
    low: float
    high: float


class BinCard(Shape):
    """One word, or one stretch of values, and the persons who fall into it."""

    label: str
    persons: EstimateCard


class QuantileCard(Shape):
    """Below `value` lies this share of persons. Dates are texts, YYYY-MM-DD."""

    share: float
    value: float | str
    low: float | str
    high: float | str


class SummaryCard(Shape):
    """What was bought of one variable. Each person weighs 1, spread evenly over their rows."""

    table: str
    variable: str
    kind: str
    persons: EstimateCard = Field(description="who has a row in this table, whatever stands in it")
    missing: EstimateCard = Field(description="share of persons, from 0 to 1")
    bins: tuple[BinCard, ...] = Field(
        description="in the order of the code list, or of the values; NULL is not among them"
    )
    quantiles: tuple[QuantileCard, ...] = Field(default=(), description="of numbers and dates, where they stand clear")
    mean: EstimateCard | None = Field(
        default=None, description="of numbers; the interval holds the width of the bins too"
    )
    clear: bool = Field(description="False when all persons together hardly stand clear of the noise")


class BoughtCard(Shape):
    """The profile that the population paid for, once for this version."""

    epsilon: str
    delta: float
    rho: int = Field(description="nano-rho")
    bought_at: datetime
    registers: tuple[str, ...] = Field(description="who paid, each in full")
    noise: float = Field(description="standard deviation of the noise in each number of a summary, in persons")
    digest: str


class OfferCard(Shape):
    """What a profile would cost, and how exact its summaries would be."""

    epsilon: str
    noise: float = Field(description="standard deviation of the noise in each number of a summary, in persons")


class FreshnessCard(Shape):
    """How new the data are, as far as the shelf and the signed text tell."""

    shelved_at: datetime
    versions: int = Field(description="how many versions there were, this one included")
    every_days: float | None = Field(description="days between versions, on the average; None for the first")
    covers_from: date | None = Field(description="the first day the records are of, as the signed text states it")
    covers_to: date | None = Field(description="the last one")
    renewed: str = Field(description="how often it is to be renewed, as the signed text states it; empty: nobody said")
    due_on: date | None = Field(description="by which day the next version is due")
    overdue: bool = False


class ProjectUseCard(Shape):
    """What one project did with a dataset."""

    project: str
    title: str
    standing: str
    questions: int
    epsilon_spent: float


class UseCard(Shape):
    """How a dataset is used. `epsilon_spent`, `by_project` and `accounts` are for who may read budgets."""

    projects: int = Field(description="that were ever granted it")
    active: int = Field(description="that hold an active grant")
    runs: int
    questions: int = Field(description="that were charged")
    epsilon_spent: float | None = None
    by_project: tuple[ProjectUseCard, ...] = ()
    accounts: tuple[AccountCard, ...] = Field(default=(), description="of the registers it draws on")


class KnownCard(Shape):
    """Everything of the catalogue that is not the dictionary."""

    dataset: str
    version: int
    freshness: FreshnessCard
    use: UseCard
    bought: BoughtCard | None = None
    summaries: tuple[SummaryCard, ...] = ()
    offers: tuple[OfferCard, ...] = Field(default=(), description="where nothing was bought: what it would cost")


class QualityFigure(Shape):
    """Of every row and check of one kind, which share held: in per cent."""

    figure: str
    per_cent: float
    checks: int


class ValueCard(Shape):
    """What a steward registers, prices or justifies a dataset by; exact figures of its intake, not for researchers."""

    dataset: str
    version: int
    title: str
    title_zh: str
    domain: str
    grade: int
    openness: str
    legal_basis: str
    size_class: int = Field(description="rows of the largest table, rounded up, as the signed text states it")
    tables: int
    variables: int
    described: float = Field(description="per cent of the variables that have a title")
    listed: float = Field(description="per cent of the variables with a public code list or bounds")
    quality: tuple[QualityFigure, ...]
    freshness: FreshnessCard
    use: UseCard
    released: int = Field(description="outputs that left, vetted")
    capacity_used: float = Field(
        description="per cent of the register's cap that is spent, ρ by ρ; the fullest register"
    )
