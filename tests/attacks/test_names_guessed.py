"""Attack: tell from the answer whether a run or a release one may not see is there at all.

Control: its owner gets the run, and the refusal of a stranger is on record.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select
from tests.attacks.asked import copied
from tests.living import Living, notebook_of

from enclave.api.app import build
from enclave.audit import Event, record
from enclave.audit.tables import events
from enclave.bootstrap.house import open_house
from enclave.release.send import SENT
from enclave.release.tables import releases
from enclave.run import Limits, SandboxFiles, Submission, submit
from enclave.store import reading

NOWHERE = "0123456789abcdef"


def replies(home: Living, who: str, *asked: tuple[str, str]) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        with open_house(home.settings).closing() as house:
            transport = httpx.ASGITransport(app=build(house))
            head = {"Authorization": f"Bearer {home.tokens[who]}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://door/api/v1", headers=head) as client:
                return [await client.request(method, path) for method, path in asked]

    return asyncio.run(send())


@pytest.fixture
def home(furnished_home: Living, tmp_path: Path) -> Living:
    return copied(furnished_home, tmp_path / "home")


def test_a_run_that_is_not_theirs_and_one_that_is_not_there_read_alike(home: Living) -> None:
    handed_in = Submission(home.project, "grt_1", "researcher", "hospital", 1, notebook_of("1").encode())
    run = submit(home.db, handed_in, Limits.default(SandboxFiles.find())).run
    for method, path in (("GET", "/runs/{}"), ("POST", "/runs/{}/cancel")):
        there, nowhere = replies(home, "stranger", (method, path.format(run)), (method, path.format(f"run_{NOWHERE}")))
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert there.text.replace(run, "") == nowhere.text.replace(f"run_{NOWHERE}", "")
    assert replies(home, "researcher", ("GET", f"/runs/{run}"))[0].json()["run"] == run
    assert replies(home, "operator", ("POST", f"/runs/{run}/cancel"))[0].json()["state"] == "cancelled"
    with reading(home.db) as connection:
        told = connection.execute(select(events.c.actor).where(events.c.kind == "access.refused")).scalars().all()
    assert told.count("stranger") == 2
    home.close()


def test_nor_does_a_release_tell(home: Living) -> None:
    sent = f"rel_{NOWHERE[::-1]}"
    row = {
        "id": sent, "run": "run_1", "owner": "researcher", "project": home.project,
        "members": json.dumps(["researcher"]), "outputs": "[]", "receipt": "{}", "receipt_sha256": "", "sent_at": "",
    }  # fmt: skip
    with record(home.db, Event(SENT, "worker", sent)) as tx:
        tx.execute(insert(releases), row)
    there, nowhere = replies(home, "stranger", ("GET", f"/releases/{sent}"), ("GET", f"/releases/rel_{NOWHERE}"))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert there.text.replace(sent, "") == nowhere.text.replace(f"rel_{NOWHERE}", "")
    assert replies(home, "researcher", ("GET", f"/releases/{sent}"))[0].status_code == 409, (
        "theirs, with its files gone"
    )
    home.close()
