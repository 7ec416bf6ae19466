"""How much may one request carry?

`MAX_BODY` bytes, counted as they come: a body is read before anybody knows who sends it, so without a cap a stranger
fills the memory of the door. A length that is announced and too large is refused before a byte is read.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domicile.wire.shapes import MAX_REQUEST

MAX_BODY = MAX_REQUEST

TOO_LARGE = 413


class Capped:
    """The application behind it never sees more than `MAX_BODY` bytes of a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        seen = MAX_BODY + 1 if not announced.isdigit() or int(announced[:20]) > MAX_BODY else 0

        async def counted() -> Message:
            nonlocal seen
            if seen > MAX_BODY:
                raise HTTPException(TOO_LARGE)
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise HTTPException(TOO_LARGE)
            return message

        await self._app(scope, counted, send)
