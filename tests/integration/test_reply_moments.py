"""Every reply leaves at the moment fixed when its question was reserved, and an engine that fails or is late shows nothing
but that: the ordinary shape. The project is frozen then, until an officer thaws it."""

from __future__ import annotations

from statistics import median
from threading import Timer

import pyarrow as pa
import pytest
from tests.integration.channels import Channel, Heard, account, broker, leased, spent
from tests.living import Living

from enclave.broker import asking
from enclave.catalogue import find
from enclave.custody.proof import verify_house

OPENING_MS = 1_500
SLACK = 3.0
"""Seconds a loaded machine may take to price a question and to carry its reply. Never is one early."""


def question(number: int) -> str:
    return f"SELECT dept, COUNT(*) AS n, AVG(los_days) AS los FROM visits WHERE total_fee > {number} GROUP BY dept"


def opening(house: Living) -> int:
    return OPENING_MS + find(house.db, "hospital").size_class // asking.OPENING_ROWS_PER_MS


def leaves_at(reply: Heard, milliseconds: int) -> bool:
    return milliseconds / 1000 <= reply.seconds < milliseconds / 1000 + SLACK


def shape(reply: Heard) -> tuple[pa.Schema, int, list[object]]:
    table = pa.ipc.open_stream(reply.body).read_all()
    return table.schema, table.num_rows, table.column("dept").to_pylist()


def test_answered_and_reused_replies_leave_at_the_moment_of_their_class(house: Living) -> None:
    with broker(house, opening_ms=OPENING_MS), Channel(house, leased(house)) as channel:
        moment = int(channel.quote(question(0)).value["reply_ms"])
        assert leaves_at(channel.ask(question(0)), moment + opening(house)), "the one that opens the extract"
        fresh = [channel.ask(question(number)) for number in range(1, 6)]
        again = [channel.ask(question(number)) for number in range(1, 6)]
    assert [reply.value["quote"]["reused"] for reply in fresh + again] == [False] * 5 + [True] * 5
    assert all(leaves_at(reply, moment) for reply in fresh + again)
    for replies in (fresh, again):
        late = median(reply.seconds for reply in replies) - moment / 1000
        assert late < SLACK / 10, "reuse moves nothing"


@pytest.mark.parametrize("trouble", ["endless", "broken"])
def test_a_failing_engine_answers_in_the_ordinary_shape_and_freezes_the_project(house: Living, trouble: str) -> None:
    job = leased(house)
    with broker(house), Channel(house, job) as channel:
        good = channel.ask(question(0))
    with broker(house, trouble, OPENING_MS), Channel(house, job) as channel:
        hurt = channel.ask(question(1))
        assert leaves_at(hurt, int(good.value["quote"]["reply_ms"]) + opening(house))
        assert set(hurt.head) == set(good.head) and set(hurt.value) == set(good.value)
        assert shape(hurt) == shape(good)
        assert hurt.value["rho_spent"] == good.value["rho_spent"] == hurt.value["quote"]["rho"], "charged as any other"
        assert (account(house).frozen, account(house).incidents) == (True, 1)
        assert channel.ask(question(2)).code == "budget.frozen"
        assert channel.ask(question(0)).body == good.body, "what was paid for is still the project's"


def test_an_officer_thaws_and_the_incident_stays_counted(house: Living) -> None:
    job = leased(house)
    with broker(house, "broken"), Channel(house, job) as channel:
        channel.ask(question(1))
    before = spent(house)
    with broker(house), Channel(house, job) as channel:
        assert channel.ask(question(2)).code == "budget.frozen", "a new broker does not forget"
        refused = house.cli("researcher", "enclave", "budget", "thaw", "project", house.project)
        assert refused.returncode != 0 and account(house).frozen, "no researcher thaws"
        done = house.cli("officer", "enclave", "budget", "thaw", "project", house.project, "--why", "engine mended")
        assert done.returncode == 0, done.stderr
        assert spent(house) == before, "a thaw gives nothing back"
        assert channel.ask(question(2)).value["rho_spent"] > 0
    assert (account(house).frozen, account(house).incidents) == (False, 1)
    verify_house(house.place, house.db, house.keyring)


def test_an_answer_that_is_ready_after_its_moment_is_an_incident(house: Living) -> None:
    with broker(house, "dawdling"), Channel(house, leased(house)) as channel:
        channel.ask(question(0))  # that it opens the extract excuses only the opening
        assert (account(house).frozen, account(house).incidents) == (True, 1)


def test_asked_to_end_in_the_middle_the_broker_answers_what_it_charged(house: Living) -> None:
    with broker(house, opening_ms=1_500) as process, Channel(house, leased(house)) as channel:
        price = int(channel.quote(question(0)).value["rho"])
        Timer(0.5, process.terminate).start()
        assert channel.ask(question(0)).value["rho_spent"] == price
        process.join(15)
        assert process.exitcode == 0
    assert spent(house) == price
    assert (account(house).frozen, account(house).incidents) == (False, 0)
