"""A broker is killed between every pair of its steps: what was reserved is spent once, and nothing else is lost."""

from __future__ import annotations

import signal

import pytest
from tests.integration.channels import Channel, account, broker, ended_by, leased, spent
from tests.living import Living

from enclave.broker.given import answers_given, spent_by
from enclave.budget import history
from enclave.custody.proof import verify_house

QUESTION = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"


# (point, charges the ledger holds after the kill, whether asking again is free)
@pytest.mark.parametrize(
    ("point", "durable", "stored"),
    [
        ("before reserve", 0, False),
        ("reserved", 1, False),
        ("executed", 1, False),
        ("settled", 1, True),
        ("noted", 1, True),
        ("replied", 1, True),
    ],
)
def test_what_was_reserved_is_spent_once_wherever_the_broker_dies(
    house: Living, point: str, durable: int, stored: bool
) -> None:
    job = leased(house)
    with broker(house, point) as process, Channel(house, job) as channel:
        price = int(channel.quote(QUESTION).value["rho"])
        told = None
        try:
            told = channel.ask(QUESTION)
        except (EOFError, ConnectionError):
            assert point != "replied"
        assert ended_by(process) == -signal.SIGKILL, "it reached its step"
    assert spent(house) == durable * price
    with broker(house), Channel(house, job) as channel:
        again = channel.ask(QUESTION)
        third = channel.ask(QUESTION)
        assert again.value["quote"]["reused"] == stored
        assert again.value["rho_spent"] == (0 if stored else price)
        assert (third.body, third.value["rho_spent"]) == (again.body, 0), "the control: what is stored is free"
        if told is not None:
            assert told.body == again.body, "the answer that left is the answer that is kept"
    charges = durable + (not stored)
    assert spent(house) == charges * price
    kinds = [entry.kind for entry in history(house.place) if entry.kind in ("reserved", "settled", "lost")]
    assert kinds == ["reserved", "lost"] * (charges - 1) + ["reserved", "settled"]
    balance = account(house)
    assert (balance.frozen, balance.incidents) == (False, 0), "a crash is nobody's fault"
    assert answers_given(house.db, job.run) == (again.value["answer"],)
    assert spent_by(house.db, house.place, job.run)[0].nano_rho == charges * price, (
        "the receipt names what the run cost"
    )
    verify_house(house.place, house.db, house.keyring)


def test_killed_in_its_first_checkpoint_the_house_opens_again(house: Living) -> None:
    job = leased(house)
    settings = house.place.settings
    settings.write_text(settings.read_text() + "checkpoint_seconds = 1\n")
    with broker(house, "checkpointed") as process, Channel(house, job) as channel:
        channel.quote(QUESTION)
        assert ended_by(process) == -signal.SIGKILL
    with broker(house), Channel(house, job) as channel:
        assert channel.ask(QUESTION).value["rho_spent"] > 0
    assert verify_house(house.place, house.db, house.keyring).checkpoints >= 2
