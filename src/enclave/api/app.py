"""What does the HTTP door look like as a whole?

`/api/v1`, JSON, bearer tokens, one error shape (`Problem`) for everything that is not a success. Loopback by default; a
demo home refuses any other address. The door translates: it decides nothing and holds no data key.
"""

from __future__ import annotations

import logging
import secrets

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domicile.wire.shapes import Problem
from domicile.wire.words import say
from enclave.api import batches, datasets, increases, known, releases, requests, reviews, runs, standing
from enclave.api.body import MAX_BODY, TOO_LARGE, Capped
from enclave.bootstrap.house import House
from enclave.errors import EnclaveError
from enclave.twin import Twins

log = logging.getLogger("enclave.api")


def problem(error: EnclaveError) -> Problem:
    """The one error shape."""
    return Problem(code=error.code, words=error.words("en"), words_zh=error.words("zh"), place=error.place)


def _reply(status: int, body: Problem) -> JSONResponse:
    return JSONResponse(body.model_dump(mode="json"), status_code=status)


def _plain(code: str, **facts: object) -> Problem:
    return Problem(code=code, words=say(code, "en", **facts), words_zh=say(code, "zh", **facts))


async def _on_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EnclaveError)
    return _reply(error.http_status, problem(error))


async def _on_malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _reply(422, _plain("door.bad_request", why=f"{place}: {first['msg']}"))


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == TOO_LARGE:
        return _reply(TOO_LARGE, _plain("door.too_large", limit=MAX_BODY >> 20))
    body = _plain("door.no_path") if error.status_code in (404, 405) else _plain("door.bad_request", why=error.detail)
    return _reply(error.status_code, body)


async def _on_fault(_: Request, error: Exception) -> JSONResponse:
    reference = secrets.token_hex(6)
    log.exception("fault %s", reference, exc_info=error)  # the traceback stays in the operator's log
    return _reply(500, _plain("door.internal", reference=reference))


def build(house: House, *others: APIRouter) -> FastAPI:
    """The application over one house; `others` are doors beside the API, such as the console."""
    app = FastAPI(
        title="Domicile", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )  # the interactive pages load scripts from elsewhere, so they are off
    app.add_middleware(Capped)
    app.state.house = house
    app.state.twins = Twins(house.place, house.keyring)
    app.add_exception_handler(EnclaveError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_fault)
    for part in (standing, datasets, known, requests, increases, runs, reviews, batches, releases):
        app.include_router(part.router, prefix="/api/v1")
    for other in others:
        app.include_router(other)
    return app
