"""A broker killed with SIGKILL between any two steps: what was granted is spent, and never more than the cap."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from enclave.budget import Amount, Charge, Ledger, Share, balances, history, population, project, researcher, verify
from enclave.errors import Refused
from enclave.store import Place

SPENDER = Path(__file__).with_name("ledger_spender.py")
PRICE = 10
ACCOUNTS = (population("cn"), project("p"), researcher("p", "m"))


def home(folder: Path, cap: int) -> Place:
    place = Place(folder / "home")
    place.make()
    with Ledger.of(place) as ledger:
        for account in ACCOUNTS:
            ledger.open_account(account, Amount(cap), actor="officer")
    return place


def start(place: Place, *said: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, SPENDER, place.home, *said], stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, set[int]]:
    """What the outside was told before the process ended: {"granted": numbers, "replied": numbers}."""
    output, _ = process.communicate(timeout=60)
    lines = [line.split() for line in output.splitlines()]
    return {said: {int(seq) for word, seq in lines if word == said} for said in ("granted", "replied")}


def spent(place: Place) -> int:
    """What the restarted ledger counts as spent: the same in every account."""
    with Ledger.of(place):
        pass
    verify(place.ledger)
    (amount,) = {balance.spent.nano_rho for balance in balances(place)}
    assert amount == PRICE * sum(entry.kind == "reserved" for entry in history(place, limit=-1))
    return amount


@pytest.mark.parametrize(
    ("step", "durable", "told_granted", "ending"),
    [
        ("queued aside", 0, 0, None),
        ("committed aside", 1, 0, "lost"),
        ("replied aside", 1, 1, "settled"),
        ("queued", 0, 0, None),
        ("written", 0, 0, None),
        ("committed", 1, 0, "lost"),  # nobody was told, so nobody holds an answer: it counts as spent all the same
        ("executing", 1, 1, "lost"),
        ("settling", 1, 1, "lost"),  # the half-made settlement is gone, the reservation is not
        ("settled", 1, 1, "settled"),
        ("replied", 1, 1, "settled"),
    ],
)
def test_killed_at_a_step_the_spent_total_is_what_was_granted(
    tmp_path: Path, step: str, durable: int, told_granted: int, ending: str | None
) -> None:
    place = home(tmp_path, cap=100)
    process = start(place, *step.split())
    heard = told(process)
    assert process.returncode == -signal.SIGKILL, "it reached its step"
    assert len(heard["granted"]) == told_granted
    assert spent(place) == PRICE * durable
    assert [e.kind for e in history(place, since=3)] == (["reserved", ending] if durable else [])
    with Ledger.of(place) as ledger:  # and what is left can be spent, to the unit
        charge = Charge(tuple(Share(a, Amount(PRICE)) for a in ACCOUNTS))
        for _ in range(10 - durable):
            ledger.reserve(charge)
        with pytest.raises(Refused):
            ledger.reserve(charge)


def test_killed_at_any_moment_again_and_again_grants_never_pass_the_cap(tmp_path: Path) -> None:
    cap, moments = 20_003, random.Random(5)
    place, granted, replied = home(tmp_path, cap), set[int](), set[int]()
    for _ in range(6):
        process = start(place, "race")
        assert process.stdout is not None and process.stdout.readline() == "open 0\n"
        time.sleep(moments.uniform(0.001, 0.06))
        process.kill()
        heard = told(process)
        granted |= heard["granted"]
        replied |= heard["replied"]
        total = spent(place)
        assert PRICE * len(granted) <= total <= cap
        reserved = {entry.seq for entry in history(place, limit=-1) if entry.kind == "reserved"}
        assert granted <= reserved, "somebody was told yes for a charge the ledger does not hold"
    assert granted, "the control: the kills came after some grants"
    granted |= told(start(place, "race"))["granted"]
    assert spent(place) == cap // PRICE * PRICE
    with Ledger.of(place) as ledger:
        assert all(ledger.find_answer(f"k{seq}") for seq in replied), "an answer that was given is stored"
