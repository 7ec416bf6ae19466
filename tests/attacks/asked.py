"""What attacks on the broker share: a home with records and two projects that ask it in this very process."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.living import Living, born, granted, quick_replies, raw_hospital, shelved

from enclave import access
from enclave.access import AccessPolicy, Asked
from enclave.broker.asking import Answered, Asker, Asking
from enclave.broker.bell import Bell
from enclave.broker.caps import read_caps
from enclave.broker.engines import OpenExtracts
from enclave.broker.turns import Turns
from enclave.budget import AccountKind, Balance, Ledger, balances
from enclave.catalogue import Dataset, find
from enclave.people import Permissions
from enclave.settings import Settings
from enclave.store import Keyring, open_state


def furnished(folder: Path) -> Living:
    """A home with 200 invented persons and one grant on all of it, of the size class whose replies leave soonest."""
    made = born(folder)
    quick_replies(made.place)
    shelved(made, raw_hospital(folder / "raw", 200))
    made.request, made.project = granted(made)
    made.close()
    return made


def copied(template: Living, home: Path) -> Living:
    """The same people, data and grant in a home of one's own."""
    shutil.copytree(template.place.home, home)
    settings = Settings.load(home, {})
    place = settings.place
    people = Permissions.load(place.policies)
    copy = Living(settings, Keyring(place), open_state(place), people, dict(template.tokens))
    copy.project, copy.request = template.project, template.request
    return copy


def granted_to(living: Living, who: str, **changes: Any) -> str:
    """A new grant of `who`'s own, on all of the hospital unless `changes` say less; its project."""
    policy, dataset = AccessPolicy.load(living.place.policies), find(living.db, "hospital")
    today = date.today()
    asked = Asked(
        **{
            "title": "Attack",
            "purpose": "To attack.",
            "legal_basis": "Invented records.",
            "dataset": "hospital",
            "epsilon_project": "300",
            "epsilon_researcher": "300",
            "starts_on": today - timedelta(days=1),
            "ends_on": today + timedelta(days=30),
            **changes,
        }
    )
    request = access.draft(living.db, living.keyring, living.permissions, policy, living.member(who), asked, dataset)
    access.submit(living.db, living.permissions, living.member(who), request.id, token=living.tokens[who])
    for role in ("steward", "officer"):
        token = living.tokens[role]
        access.approve(living.db, living.keyring, living.permissions, living.member(role), request.id, token=token)
    return access.project_of(living.db, request.id).id


@dataclass
class Door:
    """A broker in this process: its ledger, its engines, and any run that asks."""

    living: Living
    ledger: Ledger
    extracts: OpenExtracts
    asking: Asking

    def asker(self, project: str, member: str = "researcher", dataset: Dataset | None = None) -> Asker:
        return Asker(
            run="run_0123456789abcdef",
            epoch=1,
            project=project,
            member=member,
            dataset=dataset or find(self.living.db, "hospital"),
        )

    def ask(self, sql: str, epsilon: str = "1", **who: Any) -> Answered:
        return self.asking.ask(self.asker(**{"project": self.living.project, **who}), sql, epsilon)

    def balance(self, kind: AccountKind, project: str | None = None) -> Balance:
        found = [b for b in balances(self.living.place) if b.kind is kind and b.account.project == project]
        assert len(found) == 1, found
        return found[0]


def numbers(answered: Answered) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pa.ipc.open_stream(answered.body).read_all().to_pydict()
    return columns


@contextmanager
def opened(living: Living) -> Iterator[Door]:
    """The broker's own parts over a home; no process, no socket."""
    budget = (living.place.policies / "budget.toml").read_text()
    with Ledger.of(living.place) as ledger:
        extracts = OpenExtracts(living.place, living.keyring)
        asking = Asking(
            db=living.db,
            keyring=living.keyring,
            ledger=ledger,
            extracts=extracts,
            turns=Turns(),
            caps=read_caps(budget),
            still_leased=lambda _: None,
            run_seconds=600,
        )
        try:
            yield Door(living, ledger, extracts, asking)
        finally:
            extracts.close()


@contextlib.contextmanager
def unheard() -> Iterator[Bell]:
    """A bell nobody answers, as when a worker is gone: questions go on without their jail standing still."""
    near, far = socket.socketpair()
    far.close()
    with near:
        yield Bell(near)
