"""A ledger written before accounts could be counted in pure ε is read, and goes on, as it stands."""

from __future__ import annotations

import sqlite3

from alembic import command
from alembic.config import Config

from enclave.audit import canonical
from enclave.audit.chain import GENESIS
from enclave.budget import Amount, Charge, Ledger, Share, project
from enclave.budget.entries import bound
from enclave.store import Place
from enclave.store.database import connect

P = project("p")


def older_ledger(place: Place) -> None:
    """One account, opened with a cap of 10 and spent to 4, in the tables of revision 0002."""
    config = Config()
    config.set_main_option("script_location", "enclave.store:migrations/ledger")
    engine = connect(f"sqlite:///{place.ledger}")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    engine.dispose()
    said = [
        ("opened", {"account": ["project", "p"], "cap": [10, 0], "actor": "officer", "why": ""}),
        ("reserved", {"shares": [["project", "p", 4, 0]], "what": {}}),
        ("lost", {"reservation": 2}),
    ]
    with sqlite3.connect(place.ledger) as db:
        previous = GENESIS
        for seq, (kind, detail) in enumerate(said, 1):
            text = canonical(detail).decode()
            digest = bound(previous, "2024-01-01", kind, text)
            db.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (seq, "2024-01-01", kind, text, previous, digest)
            )
            previous = digest
        db.execute("INSERT INTO accounts VALUES ('project', 'p', 10, 0, 4, 0, 1, 0, 0)")
        db.execute("INSERT INTO reservations VALUES (2, 'lost', 3)")
    db.close()


def test_what_was_spent_stays_spent_and_the_rest_can_be_spent(place: Place) -> None:
    older_ledger(place)
    with Ledger.of(place) as ledger:
        assert (ledger.balance(P).cap, ledger.balance(P).spent) == (Amount(10), Amount(4))
        ledger.reserve(Charge((Share(P, Amount(6)),)))
        assert ledger.balance(P).left == Amount(0)
