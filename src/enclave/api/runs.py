"""How is a notebook handed in over HTTP, and how is its run seen?"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from domicile.wire.shapes import MAX_REQUEST, OwnErrorCard, RunCard, Shape
from domicile.wire.words import catalogue, say
from enclave.access import check as check_grant
from enclave.api.identity import AHouse, AMember
from enclave.api.sight import enforce_in_sight
from enclave.bootstrap.house import House
from enclave.broker.given import answers_given
from enclave.catalogue import find as find_dataset
from enclave.errors import NotFound, Refused
from enclave.people import Action, Member
from enclave.run import RunPolicy
from enclave.run.job import Job, Submission, cancel, declared_by, find, listing, submit
from enclave.run.queue import HIGHEST, LOWEST, place_of
from enclave.run.review import decisions, facts
from enclave.run.states import RunState
from enclave.vet.listing import of_run

router = APIRouter(tags=["runs"])


class RunForm(Shape):
    """A notebook (its text), and the parameters that are injected behind the wall."""

    project: str
    dataset: str
    notebook: str = Field(max_length=MAX_REQUEST)
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)
    name: str = "notebook.ipynb"
    priority: int = Field(default=0, ge=LOWEST, le=HIGHEST)
    """Among the runs of the same project."""


def _why(house: House, job: Job) -> str:
    words = say(job.why) if job.why in catalogue() else job.why
    if job.state in (RunState.SUBMITTED, RunState.WAITING):
        return say("run.awaits_reader" if job.state is RunState.SUBMITTED else "run.waits_for_others")
    if job.why == "run.code_refused":
        said = decisions(house.db, job.project, job.dataset, job.code)
        return f"{words} {said[0].reason}" if said else words
    if job.error is None:
        return words
    own = say("door.own_error", name=job.error.name, cell=job.error.cell, line=job.error.line)
    return f"{words} {own}".strip()


def run_card(house: House, job: Job) -> RunCard:
    """A run as its owner sees it: in the dp lane all of it is post-processing of private answers."""
    return RunCard(
        run=job.run,
        project=job.project,
        dataset=job.dataset,
        state=job.state.value,
        stage=job.stage,
        place=place_of(house.db, job.run) if job.state is RunState.QUEUED else None,
        cells_done=job.cells_done,
        cells=job.cells,
        questions=job.questions if job.ended_at else len(answers_given(house.db, job.run)),
        submitted_at=datetime.fromisoformat(job.submitted_at),
        ended_at=datetime.fromisoformat(job.ended_at) if job.ended_at else None,
        why=_why(house, job),
        error=OwnErrorCard(**vars(job.error)) if job.error else None,
        declared=declared_by(house.db, job.run),
        outputs=tuple(standing.card() for standing in of_run(house.db, job.run)),
    )


def visible(house: House, member: Member, run: str, action: Action = Action.RUN_READ) -> Job:
    """The run, if this member may do that with it. Who may not even see it is told that there is none."""
    job = find(house.db, run)
    enforce_in_sight(house, member, action, run, facts(house.db, job), NotFound("run.unknown", run=run))
    return job


@router.post("/runs")
def hand_in(form: RunForm, house: AHouse, member: AMember) -> RunCard:
    """Queue a run, if the project's grant covers member and dataset now."""
    # the grant first: a project that is not there and one that is not theirs are refused alike
    grant = check_grant(house.db, house.keyring, project=form.project, member=member, dataset=form.dataset)
    house.permissions.enforce(house.db, member, Action.RUN_SUBMIT, form.project, {"members": grant.members})
    dataset = find_dataset(house.db, form.dataset, grant.version)
    grant.check_covers(dataset)
    submission = Submission(
        project=form.project,
        grant=grant.id,
        member=member.id,
        dataset=dataset.name,
        dataset_version=dataset.version,
        notebook=form.notebook.encode(),
        parameters=form.parameters,
        name=form.name,
        priority=form.priority,
        review_policy=RunPolicy.load(house.place.policies).asks(grant.project, dataset.name, dataset.grade),
    )
    return run_card(house, submit(house.db, submission, house.limits))


@router.get("/runs")
def runs(house: AHouse, member: AMember) -> dict[str, list[RunCard]]:
    """This member's own runs, newest first."""
    return {"runs": [run_card(house, job) for job in listing(house.db, member=member.id)]}


@router.get("/runs/{run}")
def one_run(run: str, house: AHouse, member: AMember) -> RunCard:
    return run_card(house, visible(house, member, run))


@router.post("/runs/{run}/retry")
def once_more(run: str, house: AHouse, member: AMember) -> RunCard:
    """Queue the same notebook and parameters again, under the grant as it is now."""
    job = visible(house, member, run)
    if job.ended_at is None:
        raise Refused("run.not_ended", run=run, state=job.state)
    form = {"project": job.project, "dataset": job.dataset, "notebook": job.notebook.decode(), "name": job.name}
    return hand_in(
        RunForm.model_validate({**form, "parameters": job.parameters, "priority": job.priority}), house, member
    )


@router.post("/runs/{run}/cancel")
def call_off(run: str, house: AHouse, member: AMember) -> RunCard:
    visible(house, member, run, Action.RUN_CANCEL)
    return run_card(house, cancel(house.db, member.id, run))
