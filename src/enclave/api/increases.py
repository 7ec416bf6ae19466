"""How is more budget asked for over HTTP?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domicile.wire.shapes import Shape
from enclave.access import Increase, ask, listing_increases, withdraw_increase
from enclave.api.identity import AHouse, AMember

router = APIRouter(tags=["budget"])


class IncreaseForm(Shape):
    """What a researcher says (`domicile budget ask`): the caps wanted, as ε, and why."""

    project: str
    reason: str
    epsilon_project: str = ""
    epsilon_researcher: str = ""


def shown(one: Increase) -> dict[str, Any]:
    """A request for more budget as those concerned see it."""
    return {
        "increase": one.id,
        "project": one.project,
        "author": one.author,
        "epsilon_project": one.epsilon_project,
        "epsilon_researcher": one.epsilon_researcher,
        "reason": one.reason,
        "state": one.state.value,
        "asked_at": one.asked_at,
        "decided_by": one.decided_by,
        "answer": one.answer,
    }


@router.post("/budget/requests")
def ask_for_more(form: IncreaseForm, house: AHouse, member: AMember) -> dict[str, Any]:
    return shown(ask(house.db, house.permissions, member, **form.model_dump()))


@router.get("/budget/requests")
def increases(house: AHouse, member: AMember) -> dict[str, list[dict[str, Any]]]:
    return {"increases": [shown(one) for one in listing_increases(house.db, house.permissions, member)]}


@router.post("/budget/requests/{increase}/withdraw")
def withdraw(increase: str, house: AHouse, member: AMember) -> dict[str, Any]:
    return shown(withdraw_increase(house.db, member, increase))
