"""Attack: somebody without a token sends a body that does not end, and the door keeps it in memory.

Control: a body just under the cap is read, and its sender is then asked who they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.living import Living

from enclave.api.app import build
from enclave.api.body import MAX_BODY
from enclave.bootstrap.house import open_house

CHUNK = 1 << 20
ENDLESS = 200
"""Mebibytes: what is sent where nobody stops it."""


class Sent:
    """A body, and how much of it was taken."""

    def __init__(self, mebibytes: int) -> None:
        self.left, self.taken = mebibytes, 0

    async def chunks(self) -> AsyncIterator[bytes]:
        while self.left:
            self.left -= 1
            self.taken += 1
            yield b"x" * CHUNK


def posted(home: Living, body: Sent, headers: dict[str, str]) -> httpx.Response:
    async def post() -> httpx.Response:
        with open_house(home.settings).closing() as house:
            transport = httpx.ASGITransport(app=build(house))
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
                return await client.post("/api/v1/runs", content=body.chunks(), headers=headers)

    return asyncio.run(post())


@pytest.mark.parametrize("announced", [{}, {"content-length": str(ENDLESS * CHUNK)}], ids=["chunked", "announced"])
def test_an_endless_body_is_not_read_to_its_end(furnished_home: Living, announced: dict[str, str]) -> None:
    body = Sent(ENDLESS)
    answer = posted(furnished_home, body, {"content-type": "application/json", **announced})
    assert (answer.status_code, answer.json()["code"]) == (413, "door.too_large")
    assert body.taken <= (0 if announced else MAX_BODY // CHUNK + 1)


def test_control_a_body_under_the_cap_is_read(furnished_home: Living) -> None:
    body = Sent(2)
    answer = posted(furnished_home, body, {"content-type": "application/json"})
    assert answer.status_code != 413 and body.taken == 2
