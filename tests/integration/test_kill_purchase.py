"""A broker is killed between every pair of steps of a purchase: what was reserved is spent once, what was drawn is kept."""

from __future__ import annotations

import signal

import pytest
from tests.integration.channels import Channel, account, broker, ended_by, leased
from tests.living import Living

from enclave.broker.channel import control_path, say_to_broker
from enclave.broker.purchase import ACT, purchase_message
from enclave.budget import AccountKind, balances, history
from enclave.catalogue import find
from enclave.custody.proof import verify_house
from enclave.errors import EnclaveError, Incident, Refused
from enclave.query import portrayed

EPSILON = "50"


def buys(house: Living) -> None:
    """As `enclave profile hospital --epsilon 50` does."""
    portrait, steward = portrayed(find(house.db, "hospital"), EPSILON), house.member("steward")
    signature = steward.sign(purchase_message(portrait), house.tokens["steward"])
    said = {"act": ACT, "dataset": "hospital", "version": 1, "epsilon": EPSILON, "steward": "steward"}
    said |= {"public_key": signature.public_key, "signature": signature.value}
    say_to_broker(control_path(house.settings.place), said, "en", seconds=60)


def spent(house: Living) -> int:
    return sum(b.spent.nano_rho for b in balances(house.place) if b.kind is AccountKind.POPULATION)


# (point, charges the ledger holds after the kill, whether buying again is free, whether it is part of the dictionary)
@pytest.mark.parametrize(
    ("point", "durable", "stored", "known"),
    [
        ("before reserve", 0, False, False),
        ("reserved", 1, False, False),
        ("drawn", 1, False, False),
        ("settled", 1, True, False),
        ("not kept", 1, True, False),
        ("kept", 1, True, True),
    ],
)
def test_a_purchase_is_charged_once_and_never_lost_once_it_is_stored(
    house: Living, point: str, durable: int, stored: bool, known: bool
) -> None:
    price = portrayed(find(house.db, "hospital"), EPSILON).rho
    with broker(house, point) as process:
        with pytest.raises(EnclaveError):
            buys(house)
        assert ended_by(process) == -signal.SIGKILL, "it reached its step"
    assert spent(house) == durable * price
    assert (find(house.db, "hospital").profile is not None) == known
    with broker(house):
        if known:
            with pytest.raises(Refused):
                buys(house)
        else:
            buys(house)
        with pytest.raises(Refused):
            buys(house)
    charges = durable + (not stored)
    assert spent(house) == charges * price, "what was stored is not paid for again"
    kinds = [entry.kind for entry in history(house.place) if entry.kind in ("reserved", "settled", "lost")]
    assert kinds == ["reserved", "lost"] * (charges - 1) + ["reserved", "settled"]
    profile = find(house.db, "hospital").profile
    assert profile is not None and profile.rho == price
    balance = account(house, AccountKind.POPULATION)
    assert (balance.frozen, balance.incidents) == (False, 0)
    verify_house(house.place, house.db, house.keyring)


def test_a_run_bound_after_the_purchase_is_advised(house: Living) -> None:
    job, sql = leased(house), "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
    with broker(house):
        with Channel(house, job) as channel:
            before = channel.quote(sql).value["mechanisms"][0]
        buys(house)
        with Channel(house, job) as channel:
            after = channel.quote(sql).value["mechanisms"][0]
            answered = channel.ask(sql)
    assert (before["clip_by"], after["clip_by"]) == ("policy", "advisor")
    assert answered.value["quote"]["mechanisms"][0]["clip"] == after["clip"]


def test_without_a_broker_nothing_is_bought(house: Living) -> None:
    with pytest.raises(Incident):
        buys(house)
    assert spent(house) == 0
