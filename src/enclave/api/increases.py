"""How is more budget asked for over HTTP?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domicile.wire.shapes import Shape
from enclave.access import ask, listing_increases, withdraw_increase
from enclave.api.identity import AHouse, AMember

router = APIRouter(tags=["budget"])


class IncreaseForm(Shape):
    """What a researcher says (`domicile budget ask`): the caps wanted, as ε, and why."""

    project: str
    reason: str
    epsilon_project: str = ""
    epsilon_researcher: str = ""


@router.post("/budget/requests")
def ask_for_more(form: IncreaseForm, house: AHouse, member: AMember) -> dict[str, Any]:
    return ask(house.db, house.permissions, member, **form.model_dump()).card()


@router.get("/budget/requests")
def increases(house: AHouse, member: AMember) -> dict[str, list[dict[str, Any]]]:
    return {"increases": [one.card() for one in listing_increases(house.db, house.permissions, member)]}


@router.post("/budget/requests/{increase}/withdraw")
def withdraw(increase: str, house: AHouse, member: AMember) -> dict[str, Any]:
    return withdraw_increase(house.db, member, increase).card()
