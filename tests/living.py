"""A living home: invented records of 2,000 persons on the shelf, people with their tokens, a grant, three processes up.

Everything is reached by the verbs a person would use.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import nbformat
import pytest
from sqlalchemy import Engine

from domicile.client.api import Api
from domicile.client.session import Session
from domicile.wire.shapes import RunCard
from enclave import access, people
from enclave import cli as terminal
from enclave.access import AccessPolicy, Asked
from enclave.bootstrap import birth, up
from enclave.catalogue import find, shelve
from enclave.intake.policy import sign
from enclave.people import Member, Permissions
from enclave.run.job import outputs
from enclave.settings import Settings
from enclave.store import Keyring, Place, open_state

ROOT = Path(__file__).parents[1]
ROLES = {
    "steward": "steward", "officer": "officer", "researcher": "researcher", "stranger": "researcher", "auditor": "auditor",
}  # fmt: skip
ENDED = ("finished", "refused", "failed", "cancelled", "killed", "skipped")


@dataclass
class Living:
    """A running home and everybody in it."""

    settings: Settings
    keyring: Keyring
    db: Engine
    permissions: Permissions
    tokens: dict[str, str] = field(default_factory=dict)
    apis: dict[str, Api] = field(default_factory=dict)
    project: str = ""
    request: str = ""

    @property
    def place(self) -> Place:
        return self.settings.place

    def member(self, name: str) -> Member:
        return people.authenticate(self.db, self.keyring, self.tokens[name])

    def api(self, name: str = "researcher") -> Api:
        if name not in self.apis:
            self.apis[name] = Api(Session(self.settings.url, self.tokens[name], self.keyring.public_key))
        return self.apis[name]

    def close(self) -> None:
        for api in self.apis.values():
            api.close()
        self.db.dispose()

    @contextlib.contextmanager
    def up(self) -> Iterator[Self]:
        """Its processes run until the block ends; what we opened ourselves is given back then too."""
        try:
            up.up(self.settings)
            yield self
        finally:
            up.down(self.place)
            self.close()

    def cli(self, who: str, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command as a person types it, a process of its own."""
        environ = {"PATH": os.environ["PATH"], **self._environ(who, home)}
        command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=ROOT)

    def typed(self, who: str, *words: str) -> subprocess.CompletedProcess[str]:
        """The same words through the same `main`, in this process: for the many commands of a long story, each of which
        would otherwise load everything anew. The researcher's keep connections until their process ends: each has one."""
        if words[0] != "enclave":
            return self.cli(who, *words)
        said, complained = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(ROOT),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(complained),
        ):
            for name in ("ENCLAVE_TOKEN", "DOMICILE_TOKEN", "DOMICILE_LANG", "LC_ALL"):
                patch.delenv(name, raising=False)
            for name, value in self._environ(who).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", list(words))
            try:
                terminal.main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return subprocess.CompletedProcess(words, code, said.getvalue(), complained.getvalue())

    def _environ(self, who: str, home: Path | None = None) -> dict[str, str]:
        environ = {
            "LANG": "C.UTF-8",
            "HOME": str(self.place.home),
            "ENCLAVE_HOME": str(home or self.place.home),
            "XDG_CONFIG_HOME": str(self.place.home / "laptop" / who),
        }
        token = self.tokens.get(who, "")
        return environ | ({"ENCLAVE_TOKEN": token, "DOMICILE_TOKEN": token} if token else {})

    def submit(self, notebook: str, parameters: Mapping[str, Any] | None = None, who: str = "researcher") -> RunCard:
        return self.api(who).submit(
            notebook, project=self.project, dataset="hospital", parameters=dict(parameters or {}), name="test.ipynb"
        )

    def wait(self, card: RunCard, seconds: float = 90) -> RunCard:
        give_up = time.monotonic() + seconds
        while card.state not in ENDED:
            assert time.monotonic() < give_up, f"{card.run} is still {card.state}: {self.logs()}"
            time.sleep(0.1)
            card = self.api().run(card.run)
        return card

    def run(self, *cells: str, parameters: Mapping[str, Any] | None = None) -> RunCard:
        """Run a notebook of these cells to its end."""
        return self.wait(self.submit(notebook_of(*cells), parameters))

    def settled(self, run: str) -> RunCard:
        """The run once vet has taken all its outputs in."""
        give_up, declared = time.monotonic() + 60, len(outputs(self.db, run))
        while len((card := self.api().run(run)).outputs) < max(declared, 1) or any(
            o.state == "declared" for o in card.outputs
        ):
            assert time.monotonic() < give_up, self.logs()
            time.sleep(0.1)
        return card

    def logs(self) -> str:
        return "\n".join(p.read_text(errors="replace")[-2000:] for p in self.place.run.glob("*.log"))


def notebook_of(*cells: str) -> str:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return str(nbformat.writes(book))


def free_port() -> int:
    """A port nobody listens on, below those the kernel hands out to clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def quick_replies(place: Place) -> None:
    """Declare the hospital, before it is shelved, to be as small as it is: replies leave at the quickest moment there is."""
    descriptor = place.policies / "datasets" / "hospital" / "datapackage.yaml"
    text = descriptor.read_text().replace("size_class: 1000000", "size_class: 20000")
    descriptor.write_text(text.replace("in_all: 20000", "in_all: 300"))


def raw_hospital(folder: Path, persons: int = 2000) -> Path:
    subprocess.run(
        [sys.executable, ROOT / "datasets_synthetic" / "make.py", folder, "--persons", str(persons)],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    return folder


def born(folder: Path) -> Living:
    """A demo home with its people; nothing on the shelf yet."""
    settings = birth.create(folder / "home", demo=True, port=free_port())
    keyring, db = Keyring(settings.place), open_state(settings.place)
    permissions = Permissions.load(settings.place.policies)
    living = Living(settings, keyring, db, permissions)
    living.tokens["operator"] = people.first_operator(db, keyring, "operator", "Operator")
    for name, role in ROLES.items():
        token = people.add(db, keyring, permissions, living.member("operator"), name, name.title(), [role])
        living.tokens[name] = token
    return living


def shelved(living: Living, source: Path) -> None:
    policies = living.place.policies
    budget = policies / "budget.toml"  # 2,000 persons drown in the noise of a real budget: a wide one shows the path
    budget.write_text(budget.read_text().replace('epsilon = "10"', 'epsilon = "400"'))
    for name in ("budget.toml", "datasets/hospital/datapackage.yaml"):
        sign(living.db, policies / name, living.keyring, "officer")
    descriptor = policies / "datasets" / "hospital" / "datapackage.yaml"
    shelve(living.db, living.place, living.keyring, "steward", descriptor, source, demo_home=True)


def granted(living: Living, **changes: Any) -> tuple[str, str]:
    """A new request of `researcher`, granted: its id and its project."""
    today = date.today()
    asked = Asked(
        **{
            "title": "Test",
            "purpose": "To test.",
            "legal_basis": "Invented records.",
            "dataset": "hospital",
            "epsilon_project": "300",
            "epsilon_researcher": "300",
            "starts_on": today - timedelta(days=1),
            "ends_on": today + timedelta(days=30),
            **changes,
        }
    )
    who, policy = living.member("researcher"), AccessPolicy.load(living.place.policies)
    dataset = find(living.db, "hospital")
    request = access.draft(living.db, living.keyring, living.permissions, policy, who, asked, dataset)
    access.submit(living.db, living.permissions, who, request.id, token=living.tokens["researcher"])
    for role in ("steward", "officer"):
        access.approve(
            living.db, living.keyring, living.permissions, living.member(role), request.id, token=living.tokens[role]
        )
    return request.id, access.project_of(living.db, request.id).id


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
