"""What may be known of a dataset from outside: its dictionary and the price of a question. Nothing here opens an extract."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter, Request

from domicile.wire.shapes import AnswerHead, DatasetCard, Quote, Shape
from domicile.wire.words import say
from enclave.access import Grant, find_grant
from enclave.api.identity import AHouse, AMember, TheTwins
from enclave.bootstrap.house import House
from enclave.broker.caps import payers
from enclave.broker.reuse import holding
from enclave.broker.standing import standing
from enclave.budget import snapshot
from enclave.catalogue import Dataset, card, find, listing
from enclave.catalogue.dcat import catalog
from enclave.catalogue.freshness import all_fresh, today
from enclave.errors import Incident
from enclave.people import Action, Member
from enclave.query import Priced, prepare
from enclave.twin import made_from

router = APIRouter(tags=["datasets"])
TWIN = "twin_"
"""What the id of an answer begins with that no person stands behind."""


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


@router.get("/catalogue")
def catalogue(request: Request, house: AHouse, member: AMember) -> dict[str, Any]:
    """The catalogue as DCAT (JSON-LD), for another catalogue to read."""
    house.permissions.enforce(house.db, member, Action.DATASET_READ, "catalogue")
    found = listing(house.db)
    return catalog(found, str(request.base_url).rstrip("/") + "/api/v1", all_fresh(house.db, found, today()))


@router.get("/datasets/{name}")
def dataset(name: str, house: AHouse, member: AMember) -> DatasetCard:
    return card(_readable(house, member, name))


@router.post("/datasets/{name}/quote")
def quote(name: str, question: Question, house: AHouse, member: AMember) -> Quote:
    """The price, from text and dictionary; with a project, what is left of its accounts and how many more would fit."""
    known = _readable(house, member, name)
    grant = _grant(house, member, question)
    return _quoted(house, member, _priced(known, question, grant), grant)


def _grant(house: House, member: Member, question: Question) -> Grant | None:
    if question.project is None:
        return None
    return find_grant(house.db, house.keyring, house.permissions, member, question.project)


def _priced(known: Dataset, question: Question, grant: Grant | None) -> Priced:
    pure = grant is not None and grant.pure
    return prepare(question.sql, known, question.epsilon, question.accuracy, question.confidence, pure=pure)


def _quoted(house: House, member: Member, priced: Priced, grant: Grant | None) -> Quote:
    if grant is None:
        return priced.quote
    who = payers(priced.registers, grant, member.id)
    with snapshot(house.place) as seen:
        own = holding(seen, priced, grant.project)
        accounts = standing(seen, who.asking_side, priced.dataset.delta, own.priced)
    return own.quote.model_copy(update={"accounts": accounts})


@router.post("/datasets/{name}/ask")
def ask(name: str, question: Question, house: AHouse, member: AMember, twins: TheTwins) -> dict[str, Any]:
    """Outside the wall a question is asked of the invented twin, for nothing; the real extract never answers here."""
    known = _readable(house, member, name)
    grant = _grant(house, member, question)
    priced = _priced(known, question, grant)
    done = twins.ask(priced)
    if done.incident:
        raise Incident("twin.failed", dataset=name)
    head = AnswerHead(
        answer=f"{TWIN}{priced.answer_key}",
        sql=question.sql,
        quote=_quoted(house, member, priced, grant),
        epsilon_spent=0.0,
        rho_spent=0,
        ledger_head="",
        notes=(say("twin.answers", dataset=name, source=made_from(known)),),
    )
    return {"head": head.model_dump(mode="json"), "arrow": base64.b64encode(done.body).decode()}
