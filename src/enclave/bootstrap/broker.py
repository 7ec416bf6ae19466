"""The broker process: opens extracts, alone writes ledger and checkpoints, answers the channels of jails."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

from enclave import audit
from enclave.bootstrap.house import House, open_house
from enclave.bootstrap.up import alone, ready
from enclave.broker.asking import Asker, Asking
from enclave.broker.caps import RegisterCap, read_caps
from enclave.broker.channel import Acts, Bound, ControlSocket, Serve, control_path
from enclave.broker.engines import OpenExtracts
from enclave.broker.garbage import looked_for_seldom
from enclave.broker.lease import bind, still_leased
from enclave.broker.officer import accepted_gap, act
from enclave.broker.purchase import ACT, Shop, buy
from enclave.broker.session import Session
from enclave.broker.turns import Turns
from enclave.budget import Ledger
from enclave.catalogue import Dataset, find
from enclave.errors import NotFound
from enclave.intake.policy import check_signed
from enclave.query import self_test
from enclave.query.processors import for_interpreter
from enclave.settings import Settings

log = logging.getLogger("enclave.broker")
_LAST_ANSWERS = 10
"""Seconds that questions in the engines get to be answered when the broker is asked to end."""
_LAST_REPLY = 0.1


def run(settings: Settings) -> None:
    """Serve until asked to end. The sampler is tested before the first question; a ledger that does not verify ends it."""
    looked_for_seldom()
    with for_interpreter(), alone(settings.place, "broker"), open_house(settings).closing() as house:
        self_test()
        with Ledger.of(settings.place, accepted=lambda gap: accepted_gap(house.db, house.keyring, gap)) as ledger:
            _serve(house, ledger)


def _serve(house: House, ledger: Ledger) -> None:
    extracts, turns = OpenExtracts(house.place, house.keyring), Turns()
    control = ControlSocket(
        control_path(house.place),
        _binder(house, ledger, extracts, turns),
        _acts(house, ledger, extracts, turns),
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=control.serve_forever, daemon=True).start()
    with ready(house.place, "broker"):
        while not ended.wait(house.settings.checkpoint_seconds):
            _checkpoint(house, ledger)
            extracts.close_destroyed(lambda dataset: _is_gone(house, dataset))
    turns.close(_LAST_ANSWERS)
    time.sleep(_LAST_REPLY)
    control.close()
    _checkpoint(house, ledger)
    ledger.close()  # before the extracts: an engine closed under a question would be an incident in it
    extracts.close()


def _is_gone(house: House, dataset: Dataset) -> bool:
    try:
        find(house.db, dataset.name, dataset.version)
    except NotFound:
        return True
    return False


def _checkpoint(house: House, ledger: Ledger) -> None:
    ledger.checkpoint(audit.head(house.db), house.keyring.sign)


def _acts(house: House, ledger: Ledger, extracts: OpenExtracts, turns: Turns) -> Acts:
    """What people say to the broker: an officer of an account, a steward of a profile."""

    def carry_out(said: dict[str, Any]) -> object:
        if said.get("act") != ACT:
            return act(house.db, house.keyring, ledger, said)
        return buy(Shop(house.db, house.keyring, ledger, extracts, turns, _caps(house)), said)

    return carry_out


def _caps(house: House) -> Mapping[str, RegisterCap]:
    return read_caps(check_signed(house.place.policies / "budget.toml", house.keyring).text.decode())


def _binder(house: House, ledger: Ledger, extracts: OpenExtracts, turns: Turns) -> Bound:
    def serve_run(run: str, epoch: int, worker: str) -> Serve:
        asking = Asking(
            db=house.db,
            keyring=house.keyring,
            ledger=ledger,
            extracts=extracts,
            turns=turns,
            caps=_caps(house),
            still_leased=lambda asker: still_leased(house.db, asker),
            run_seconds=house.settings.run_seconds,
        )
        asker: Asker = bind(house.db, house.place, ledger, run, epoch, worker)
        return Session(asking, asker, house.db).serve

    return serve_run
