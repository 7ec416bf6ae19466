"""What may be known of a dataset from outside: its dictionary and the price of a question. Nothing here opens an extract."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domicile.wire.shapes import DatasetCard, Quote, Shape
from enclave.access import find_grant
from enclave.api.identity import AHouse, AMember
from enclave.bootstrap.house import House
from enclave.broker.caps import payers
from enclave.broker.reuse import holding
from enclave.broker.standing import standing
from enclave.catalogue import Dataset, card, find, listing
from enclave.errors import Refused
from enclave.people import Action, Member
from enclave.query import prepare

router = APIRouter(tags=["datasets"])


class Question(Shape):
    """A question as text. `epsilon`, `accuracy`, `confidence` are decimal texts, so that no float decides a price."""

    sql: str
    epsilon: str | None = None
    accuracy: str | None = None
    confidence: str | None = None
    project: str | None = None


def _readable(house: House, member: Member, name: str) -> Dataset:
    house.permissions.enforce(house.db, member, Action.DATASET_READ, name)
    return find(house.db, name)


@router.get("/datasets")
def datasets(house: AHouse, member: AMember) -> dict[str, list[DatasetCard]]:
    house.permissions.enforce(house.db, member, Action.DATASET_READ, "catalogue")
    return {"datasets": [card(dataset) for dataset in listing(house.db)]}


@router.get("/datasets/{name}")
def dataset(name: str, house: AHouse, member: AMember) -> DatasetCard:
    return card(_readable(house, member, name))


@router.post("/datasets/{name}/quote")
def quote(name: str, question: Question, house: AHouse, member: AMember) -> Quote:
    """The price, from text and dictionary; with a project, what is left of its accounts and how many more would fit."""
    known = _readable(house, member, name)
    priced = prepare(question.sql, known, question.epsilon, question.accuracy, question.confidence)
    if question.project is None:
        return priced.quote
    grant = find_grant(house.db, house.keyring, house.permissions, member, question.project)
    who = payers(known, grant, member.id)
    accounts = standing(house.place, who.asking_side, known.delta, priced.rho)
    costs = holding(house.place, priced, grant.project).costs(priced)
    return priced.quote.model_copy(update={"accounts": accounts, **costs})


@router.post("/datasets/{name}/ask")
def ask(name: str, question: Question, house: AHouse, member: AMember) -> dict[str, Any]:
    """Outside the wall a question is asked of the synthetic twin; there is none yet, and the real extract never answers."""
    known = _readable(house, member, name)
    prepare(
        question.sql, known, question.epsilon, question.accuracy, question.confidence
    )  # what is wrong is said first
    raise Refused("client.twin_not_built", dataset=name)
