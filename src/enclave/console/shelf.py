"""What does a member see of a dataset in a browser? Its dictionary, what was bought of it, how fresh it is, how it is used.

A browser says who asks by HTTP Basic: any login name, and the token as the password. Pages are read-only, nothing is kept
between two of them, and the API takes no Basic credentials: there is nothing a foreign page could make a browser do here.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from domicile.wire import told
from domicile.wire.known import SummaryCard
from domicile.wire.words import say
from enclave.api.identity import AHouse
from enclave.api.known import known_of
from enclave.bootstrap.house import House
from enclave.catalogue import card, find, listing
from enclave.console.front import HEADERS, PAGES, language
from enclave.errors import EnclaveError
from enclave.people import Action, Member, authenticate

router = APIRouter(include_in_schema=False)
MOST_BARS = 40
"""A longer list is drawn by its commonest words."""

Who = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))]
Lang = Annotated[str | None, Query()]


def _member(house: House, who: HTTPBasicCredentials | None) -> Member | None:
    try:
        return authenticate(house.db, house.keyring, who.password) if who else None
    except EnclaveError:
        return None


def _unknown(lang: str) -> HTMLResponse:
    asking = {"WWW-Authenticate": 'Basic realm="Domicile", charset="UTF-8"'}
    return HTMLResponse(say("console.who", lang), status_code=401, headers=HEADERS | asking)


@router.get("/datasets", response_class=HTMLResponse)
def shelf(request: Request, house: AHouse, who: Who, lang: Lang = None) -> HTMLResponse:
    """The datasets on the shelf."""
    chosen, member = language(request, lang), _member(house, who)
    if member is None:
        return _unknown(chosen)
    house.permissions.enforce(house.db, member, Action.DATASET_READ, "catalogue")
    page = PAGES.get_template("shelf.html").render(
        lang=chosen, say=partial(say, lang=chosen), demo=house.mark.demo, datasets=[card(d) for d in listing(house.db)]
    )
    return HTMLResponse(page, headers=HEADERS)


@router.get("/datasets/{name}", response_class=HTMLResponse)
def dataset(name: str, request: Request, house: AHouse, who: Who, lang: Lang = None) -> HTMLResponse:
    """One dataset."""
    chosen, member = language(request, lang), _member(house, who)
    if member is None:
        return _unknown(chosen)
    return HTMLResponse(page(house, member, name, chosen), headers=HEADERS)


def page(house: House, member: Member, name: str, lang: str) -> str:
    """The page of a dataset as this member may see it."""
    known = known_of(house, member, name)
    return PAGES.get_template("dataset.html").render(
        lang=lang,
        say=partial(say, lang=lang),
        demo=house.mark.demo,
        card=card(find(house.db, name)),
        lines=tuple(told.lines(known, lang)),
        known=known,
        summaries={(one.table, one.variable): one for one in known.summaries},
        in_short=partial(told.in_short, lang=lang),
        sentences=partial(told.sentences, lang=lang),
        missing=told.missing,
        drawn=drawn,
    )


def drawn(summary: SummaryCard) -> list[dict[str, float | str]]:
    """Bars of a picture in per cent of its width: of each the label, its length and the ends of its interval."""
    bins = summary.bins
    if not summary.quantiles and len(bins) > MOST_BARS:
        bins = tuple(sorted(bins, key=lambda one: -one.persons.value)[:MOST_BARS])
    top = max((one.persons.high for one in bins), default=0.0) or 1.0

    def part(persons: float) -> float:
        return round(100 * persons / top, 2)

    return [
        {
            "label": one.label,
            "length": part(one.persons.value),
            "low": part(one.persons.low),
            "high": part(one.persons.high),
            "said": f"{one.persons.value:,.0f} ({one.persons.low:,.0f} … {one.persons.high:,.0f})",
        }
        for one in bins
    ]
