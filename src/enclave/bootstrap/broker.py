"""The broker process: opens extracts, alone writes ledger and checkpoints, answers the channels of jails."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from socket import socket

from enclave import audit
from enclave.bootstrap.house import House, open_house
from enclave.bootstrap.up import alone, ready
from enclave.broker.asking import Asker, Asking
from enclave.broker.caps import read_caps
from enclave.broker.channel import ControlSocket
from enclave.broker.engines import OpenExtracts
from enclave.broker.lease import bind, still_leased
from enclave.broker.officer import act
from enclave.broker.session import Session
from enclave.budget import Ledger
from enclave.intake.policy import check_signed
from enclave.query import self_test
from enclave.settings import Settings

log = logging.getLogger("enclave.broker")
SOCKET = "broker.sock"


def control_path(settings: Settings) -> Path:
    """Where workers of this machine find the broker."""
    return settings.place.run / SOCKET


def run(settings: Settings) -> None:
    """Serve until asked to end. The sampler is tested before the first question; a ledger that does not verify ends it."""
    with alone(settings.place, "broker"), open_house(settings).closing() as house:
        self_test()
        with Ledger.of(settings.place) as ledger:
            _serve(house, ledger)


def _serve(house: House, ledger: Ledger) -> None:
    extracts = OpenExtracts(house.place, house.keyring)
    control = ControlSocket(
        control_path(house.settings),
        _binder(house, ledger, extracts),
        lambda said: act(house.db, house.keyring, ledger, said),
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=control.serve_forever, daemon=True).start()
    with ready(house.place, "broker"):
        while not ended.wait(house.settings.checkpoint_seconds):
            _checkpoint(house, ledger)
    control.close()
    _checkpoint(house, ledger)
    extracts.close()


def _checkpoint(house: House, ledger: Ledger) -> None:
    ledger.checkpoint(audit.head(house.db), house.keyring.sign)


def _binder(
    house: House, ledger: Ledger, extracts: OpenExtracts
) -> Callable[[str, int, str], Callable[[socket], None]]:
    def serve_run(run: str, epoch: int, worker: str) -> Callable[[socket], None]:
        signed = check_signed(house.place.policies / "budget.toml", house.keyring)
        asking = Asking(
            place=house.place,
            db=house.db,
            keyring=house.keyring,
            ledger=ledger,
            extracts=extracts,
            caps=read_caps(signed.text.decode()),
            still_leased=lambda asker: still_leased(house.db, asker),
        )
        asker: Asker = bind(house.db, run, epoch, worker)
        return Session(asking, asker, house.db).serve

    return serve_run
