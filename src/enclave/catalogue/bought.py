"""How does what was bought of an extract become part of its dictionary?

A row beside the extract's own, signed by the home over the extract it is of, written with its event in one transaction.
The signed text is not touched: clips it names, its digests and the manifest stay as they were shelved.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, Engine, insert, select

from enclave import audit
from enclave.audit.event import now
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.profile import Profile
from enclave.catalogue.states import State
from enclave.catalogue.tables import extracts, profiles
from enclave.errors import EnclaveError, Refused, Tampered
from enclave.store import Keyring

PROFILED = audit.declare("extract.profiled", "a private profile was bought and is part of the dictionary from now on")


def with_profile(connection: Connection, dataset: Dataset) -> Dataset:
    """The dataset with what was bought of it, if anything was; that it is genuine is for `check_profile` to say."""
    where = (profiles.c.name == dataset.name) & (profiles.c.version == dataset.version)
    row = connection.execute(select(profiles.c.profile).where(where)).first()
    if row is None:
        return dataset
    try:
        return replace(dataset, profile=Profile.from_json(row.profile))
    except (ValueError, KeyError, TypeError):
        raise _altered(dataset) from None


def check_profile(keyring: Keyring, dataset: Dataset) -> None:
    """Tampered unless the home signed the profile, and for this very extract. A dataset without one is as it should be."""
    profile = dataset.profile
    if profile is None:
        return
    try:
        if profile.signature is None:
            raise _altered(dataset)
        keyring.verify(_message(dataset, profile), profile.signature)
    except EnclaveError:
        raise _altered(dataset) from None


def keep_profile(db: Engine, keyring: Keyring, actor: str, dataset: Dataset, profile: Profile) -> Dataset:
    """Make a paid profile part of the dictionary: its row and its event, or neither.

    Refused when the version has one already, or is not the one that questions are put to."""
    kept = profile.signed(keyring.sign(_message(dataset, profile)))
    facts = {
        "version": dataset.version,
        "profile": profile.digest,
        "epsilon": profile.epsilon,
        "rho": profile.rho,
        "reservation": profile.reservation,
    }
    row = {"name": dataset.name, "version": dataset.version, "profile": kept.to_json()}
    with audit.record(db, audit.Event(PROFILED, actor, f"dataset {dataset.name}", facts)) as tx:
        mine = (extracts.c.name == dataset.name) & (extracts.c.version == dataset.version)
        if tx.execute(select(extracts.c.state).where(mine)).scalar() != State.SHELVED:
            raise Refused("profile.not_shelved", dataset=dataset.name, version=dataset.version)
        same = (profiles.c.name == dataset.name) & (profiles.c.version == dataset.version)
        if tx.execute(select(profiles.c.name).where(same)).first() is not None:
            raise Refused("profile.bought", dataset=dataset.name, version=dataset.version)
        tx.execute(insert(profiles), row | {"bought_at": now(), "bought_by": actor})
    return replace(dataset, profile=kept)


def _message(dataset: Dataset, profile: Profile) -> bytes:
    return profile.message(
        name=dataset.name, version=dataset.version, digest=dataset.digest, policy_digest=dataset.policy_digest
    )


def _altered(dataset: Dataset) -> Tampered:
    return Tampered("catalogue.tampered", dataset=dataset.name, version=dataset.version, what="profile")
