"""How is a notebook read before it runs, over HTTP? For reviewers: what waits, what is in it, a pass or a refusal."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from domicile.wire.shapes import Finding, Shape
from enclave.api.identity import AHouse, AMember
from enclave.run.job import Job
from enclave.run.review import MAX_REASON, Decision, Review, Verdict, decide, look, waiting

router = APIRouter(tags=["reviews"])


class WaitingCard(Shape):
    """A run that waits for a reader."""

    run: str
    project: str
    dataset: str
    member: str
    name: str
    code: str
    state: str
    submitted_at: datetime


class DecisionCard(Shape):
    """What was said of a code, and of which run it was read."""

    run: str
    name: str
    code: str
    verdict: str
    member: str
    reason: str
    at: datetime


class ReviewCard(Shape):
    """Everything a reviewer sees: what is flagged, what changed since the last pass, the whole."""

    waiting: WaitingCard
    findings: tuple[Finding, ...]
    against: DecisionCard | None
    diff: str = Field(description="unified, against the code that was passed last; empty without one, or when too long")
    text: str
    earlier: tuple[DecisionCard, ...]


class DecisionForm(Shape):
    reason: str = Field(default="", max_length=MAX_REASON)


def waiting_card(job: Job) -> WaitingCard:
    """A run as reviewers see it."""
    named = {name: getattr(job, name) for name in ("run", "project", "dataset", "member", "name", "code")}
    return WaitingCard(**named, state=job.state.value, submitted_at=datetime.fromisoformat(job.submitted_at))


def review_card(review: Review) -> ReviewCard:
    """A review as it leaves."""
    return ReviewCard(
        waiting=waiting_card(review.job),
        findings=review.findings,
        against=_said(review.against) if review.against else None,
        diff=review.diff,
        text=review.code.text,
        earlier=tuple(_said(one) for one in review.earlier),
    )


def _said(one: Decision) -> DecisionCard:
    return DecisionCard(**{**vars(one), "at": datetime.fromisoformat(one.at)})


@router.get("/reviews")
def reviews(house: AHouse, member: AMember) -> dict[str, list[WaitingCard]]:
    """The runs this member may decide on."""
    return {"reviews": [waiting_card(job) for job in waiting(house.db, house.permissions, member)]}


@router.get("/reviews/{run}")
def review(run: str, house: AHouse, member: AMember) -> ReviewCard:
    return review_card(look(house.db, house.permissions, member, run, house.limits))


@router.post("/reviews/{run}/{verdict}")
def decide_on(run: str, verdict: Verdict, form: DecisionForm, house: AHouse, member: AMember) -> WaitingCard:
    """`pass` or `refuse` it, and every waiting run of the same code with it."""
    return waiting_card(decide(house.db, house.permissions, member, run, verdict, form.reason, house.limits))
