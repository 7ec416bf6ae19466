"""What does a browser see before anybody logged in? What this is, whether it runs, how to begin: nothing of the data."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from domicile.wire.words import LANGUAGES, say
from enclave.bootstrap.house import House
from enclave.bootstrap.up import status

router = APIRouter(include_in_schema=False)
PAGES = Environment(loader=PackageLoader("enclave.console", "pages"), autoescape=True, undefined=StrictUndefined)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def front(house: House, lang: str) -> str:
    """The front page in `lang`."""
    words = partial(say, lang=lang)
    page = PAGES.get_template("front.html")
    return page.render(
        lang=lang, say=words, demo=house.mark.demo, processes=status(house.place), url=house.settings.url
    )


def language(request: Request, asked: str | None) -> str:
    """The language asked for, else the browser's."""
    if asked in LANGUAGES:
        return str(asked)
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


@router.get("/", response_class=HTMLResponse)
def show(request: Request, lang: Annotated[str | None, Query()] = None) -> HTMLResponse:
    """The page, to anybody."""
    return HTMLResponse(front(request.app.state.house, language(request, lang)), headers=HEADERS)
