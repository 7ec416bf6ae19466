"""How is a plan of runs priced, handed in, followed and called off over HTTP?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from domicile.rules.plan import Step
from domicile.wire.shapes import BatchCard, BatchForm
from enclave import batch as batches_
from enclave.access import check as check_grant
from enclave.access import find_project, projects_of
from enclave.access.grant import load
from enclave.access.tables import grants
from enclave.api.identity import AHouse, AMember
from enclave.api.sight import enforce_in_sight
from enclave.audit.event import now
from enclave.batch import Batch, Price, Schedule, card, find, listing, plan_card, prepared
from enclave.batch.batch import For
from enclave.batch.schedule import checked
from enclave.bootstrap.house import House
from enclave.catalogue import find as find_dataset
from enclave.errors import NotFound
from enclave.people import Action, Member
from enclave.run import RunPolicy

router = APIRouter(tags=["batches"])


@dataclass(frozen=True)
class Planned:
    """A plan of a member's that may be submitted, as far as grant and text go."""

    steps: tuple[Step, ...]
    price: Price
    whom: For
    schedule: Schedule | None


def _planned(form: BatchForm, house: House, member: Member) -> Planned:
    grant = check_grant(house.db, house.keyring, project=form.project, member=member, dataset=form.dataset)
    house.permissions.enforce(house.db, member, Action.RUN_SUBMIT, form.project, {"members": grant.members})
    dataset = find_dataset(house.db, form.dataset, grant.version)
    grant.check_covers(dataset)
    steps = prepared(form, house.limits)
    asks = RunPolicy.load(house.place.policies).asks(grant.project, dataset.name, dataset.grade)
    whom, at = For(grant.id, member.id, dataset.version, asks), now()
    schedule = checked(form.schedule, at, grant.ends_at) if form.schedule else None
    often = schedule.count(at) if schedule else 1
    return Planned(steps, batches_.price(house.place, dataset, grant, member.id, steps, often), whom, schedule)


@router.post("/batches/check")
def check(form: BatchForm, house: AHouse, member: AMember) -> BatchCard:
    """The runs of a plan and its whole price, beside what is left; nothing is stored."""
    plan = _planned(form, house, member)
    return plan_card(form, plan.steps, plan.price, plan.schedule)


@router.post("/batches")
def hand_in(form: BatchForm, house: AHouse, member: AMember) -> BatchCard:
    """Hand a plan in; handed in again it is the batch there is."""
    plan = _planned(form, house, member)
    made = batches_.submit(house.db, form, plan.steps, plan.price, plan.whom, house.limits, plan.schedule)
    return card(house.db, made, plan.steps, plan.price)


def _visible(house: House, member: Member, batch: str, action: Action = Action.RUN_READ) -> Batch:
    found = find(house.db, batch)
    about = {"owner": found.member, "members": find_project(house.db, found.project).members}
    enforce_in_sight(house, member, action, batch, about, NotFound("batch.unknown"))
    return found


def _card(house: House, member: Member, batch: Batch) -> BatchCard:
    """A batch for whoever may see it; what is left of the accounts for those alone who may see that."""
    form = batch.plan
    steps = prepared(form, house.limits)
    grant = load(house.db, house.keyring, grants.c.project, batch.project)
    dataset, often = find_dataset(house.db, batch.dataset, grant.version), 1
    if form.schedule is not None:
        often = checked(form.schedule, batch.submitted_at, grant.ends_at).count(batch.submitted_at)
    shown = card(house.db, batch, steps, batches_.price(house.place, dataset, grant, batch.member, steps, often))
    mine = house.permissions.may(member, Action.BUDGET_READ, {"members": sorted(grant.members)})
    return shown if mine else shown.model_copy(update={"accounts": ()})


@router.get("/batches")
def batches(house: AHouse, member: AMember, digest: str = "") -> dict[str, list[BatchCard]]:
    """The batches of this member's projects, newest first; of one plan when its digest is given."""
    mine = tuple(project.id for project in projects_of(house.db, member.id))
    return {"batches": [_card(house, member, batch) for batch in listing(house.db, mine, digest)]}


@router.get("/batches/{batch}")
def one_batch(batch: str, house: AHouse, member: AMember) -> BatchCard:
    return _card(house, member, _visible(house, member, batch))


@router.post("/batches/{batch}/cancel")
def call_off(batch: str, house: AHouse, member: AMember) -> BatchCard:
    _visible(house, member, batch, Action.RUN_CANCEL)
    return _card(house, member, batches_.cancel(house.db, member.id, batch))
