"""How is access asked for over HTTP? A form becomes a request of the member's own, signed with their token's key."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header

from domicile.wire.shapes import AccountCard, Shape
from enclave.access import AccessPolicy, Asked, Request, draft, listing, project_of, projects_of, submit
from enclave.access import State as RequestState
from enclave.api.identity import AHouse, AMember
from enclave.broker.standing import account_card
from enclave.budget import AccountKind, balances
from enclave.catalogue import find
from enclave.people import Action

router = APIRouter(tags=["requests"])


class RequestForm(Shape):
    """What a researcher fills in (`domicile request FORM.toml`)."""

    title: str
    purpose: str
    legal_basis: str
    dataset: str
    epsilon_project: str
    epsilon_researcher: str
    starts_on: date
    ends_on: date
    people: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    version: int | None = None
    pure: bool = False
    """The budget is counted in pure ε: Laplace noise, no δ."""


def shown(house: AHouse, request: Request) -> dict[str, Any]:
    """A request as those concerned see it."""
    asked = request.content.asked
    granted = request.state is RequestState.GRANTED
    return {
        "request": request.id,
        "state": request.state.value,
        "title": asked.title,
        "author": request.content.author,
        "dataset": asked.dataset,
        "epsilon_project": asked.epsilon_project,
        "measure": "pure" if asked.pure else "zcdp",
        "ends_on": str(asked.ends_on),
        "project": project_of(house.db, request.id).id if granted else None,
        "statements": [
            {"member": s.member, "as": s.step.value, "verdict": s.verdict.value, "reason": s.reason, "at": s.at}
            for s in request.statements
        ],
    }


@router.post("/requests")
def ask_for_access(
    form: RequestForm, house: AHouse, member: AMember, authorization: Annotated[str, Header()]
) -> dict[str, Any]:
    """Draft and submit in one step."""
    policy = AccessPolicy.load(house.place.policies)
    dataset = find(house.db, form.dataset)
    asked = Asked(**form.model_dump())
    begun = draft(house.db, house.keyring, house.permissions, policy, member, asked, dataset)
    token = authorization.partition(" ")[2]
    return shown(house, submit(house.db, house.permissions, member, begun.id, token=token))


@router.get("/requests")
def requests(house: AHouse, member: AMember) -> dict[str, list[dict[str, Any]]]:
    return {"requests": [shown(house, request) for request in listing(house.db, house.permissions, member)]}


@router.get("/budget")
def budget(house: AHouse, member: AMember) -> dict[str, list[AccountCard]]:
    """The accounts this member may see: their projects' and, for those who watch, everybody's."""
    sees_all = house.permissions.may(member, Action.BUDGET_READ, {"members": ()})
    mine = {project.id for project in projects_of(house.db, member.id)}
    cards = []
    for balance in balances(house.place):
        own = balance.account.project in mine
        if balance.kind is AccountKind.RESEARCHER and not sees_all:
            own = own and balance.name.endswith(f"/{member.id}")
        if sees_all or own:
            cards.append(account_card(balance, "1e-6"))
    return {"accounts": cards}
