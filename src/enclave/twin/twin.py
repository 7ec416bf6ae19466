"""How is the twin of a dataset made, kept and asked?

A twin has the tables, types, code lists, keys, joins and stored norms of its dataset. Its rows are made from the signed
dictionary alone: that costs nothing and says nothing of anybody. Where the steward bought a profile, values are drawn from
its noisy marginals: post-processing of what the population paid for. It is written by the same steps that write an extract,
and held to the same promises (`intake.reverify`), so that the same question runs on both. It is not encrypted: all of it is
public. One file for each version and profile, made when it is first asked and after that kept.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from domicile.wire.words import say
from enclave.catalogue import Dataset
from enclave.catalogue.bought import check_profile
from enclave.errors import Refused
from enclave.intake import contributions, laid, reverify, stage, votes, write
from enclave.intake.columns import literal
from enclave.intake.descriptor import parse
from enclave.intake.package import Descriptor
from enclave.intake.policy import DESCRIPTOR, check_signed
from enclave.intake.workshop import Room, workshop
from enclave.profile import Marginals, marginals
from enclave.query import Engine, Executed, Priced, execute
from enclave.store import Keyring, Place
from enclave.twin.invented import select

PERSONS = 2_000
NOTHING = Marginals()
_CATALOG = "twin"
_KEY = b"nobody's"
"""What chooses in which unlisted keys an invented person is counted."""


def path_of(place: Place, dataset: Dataset) -> Path:
    """Where the twin of this version lies, made or not; after a purchase it is another."""
    bought = f"-{dataset.profile.digest[:16]}" if dataset.profile else ""
    return place.twins / dataset.name / f"v{dataset.version}-{dataset.policy_digest[:16]}{bought}.duckdb"


def made_from(dataset: Dataset, lang: str | None = None) -> str:
    """In words: from the dictionary alone, or from which paid numbers."""
    if dataset.profile is None:
        return say("twin.from_dictionary", lang, dataset=dataset.name, version=dataset.version)
    facts = {"epsilon": dataset.profile.epsilon, "delta": dataset.delta}
    return say("twin.from_marginals", lang, dataset=dataset.name, version=dataset.version, **facts)


def described(place: Place, keyring: Keyring, dataset: Dataset) -> Descriptor:
    """The signed descriptor of this version; Refused when the home has another one by now."""
    signed = check_signed(place.policies / "datasets" / dataset.name / DESCRIPTOR, keyring)
    if signed.digest != dataset.policy_digest:
        raise Refused("twin.of_older_policy", dataset=dataset.name, version=dataset.version)
    return parse(signed.text)


def make(d: Descriptor, path: Path, persons: int = PERSONS, told: Marginals = NOTHING) -> None:
    """Write a twin of `persons` invented persons to `path`, whole or not at all; `told` is what was bought, if anything."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    try:
        with workshop(path.parent, (path.parent,), Room(memory="1GB")) as con:
            contributions.define_root(con)
            con.execute(f"ATTACH {literal(str(draft.resolve()))} AS {_CATALOG}")
            for table in d.tables:
                laid.lay(con, table, select(d, table, persons, told))
                stage.keep_parents(con, d, table)
                write.keep_hits(con, d, table)
            far = {table.name: laid.staged(table) for table in d.tables}
            for table in d.tables:
                contributions.measure(con, d, table)
                votes.measure(con, table, _KEY)
                write.write(con, d, table, _CATALOG, far)
            reverify.reverify(con, d, _CATALOG)
            con.execute(f"DETACH {_CATALOG}")
        draft.chmod(0o600)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Twins:
    """The twins that one door has open."""

    def __init__(self, place: Place, keyring: Keyring) -> None:
        self._place, self._keyring = place, keyring
        self._open: dict[Path, Engine] = {}
        self._lock = threading.Lock()

    def ask(self, priced: Priced) -> Executed:
        """The answer of the twin, with the noise that the real one would carry; one question at a time."""
        with self._lock:
            return execute(priced, self._engine(priced.dataset))

    def _engine(self, dataset: Dataset) -> Engine:
        path = path_of(self._place, dataset)
        if path not in self._open:
            if not path.exists():
                check_profile(self._keyring, dataset)
                make(described(self._place, self._keyring, dataset), path, told=marginals(dataset))
            self._open[path] = Engine(path, None)
        return self._open[path]

    def close(self) -> None:
        with self._lock:
            for engine in self._open.values():
                engine.close()
            self._open.clear()
