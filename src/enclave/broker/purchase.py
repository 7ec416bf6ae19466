"""How is a profile bought?

 (1) a steward's signature over dataset, version, content and price, by a key certified now
 (2) what was bought of this version before: it is part of the dictionary, or a stored answer that a crash kept from
     becoming it; the latter becomes it now and costs nothing
 (3) wait for a turn, then reserve: the register's account pays in full
 (4) execute, on the extract the broker opens
 (5) settle: the noisy histograms are stored with the settlement, in one transaction
 (6) the dictionary's new part and its event, in one transaction

Up to (3) a refusal costs nothing. A crash between (3) and (5) leaves the charge spent and nothing bought, as with any
question; after (5) nothing is lost. That the engine failed is said to the steward, who may see rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine as Database

from enclave.audit import canonical
from enclave.audit.event import now
from enclave.broker import unclean
from enclave.broker.caps import RegisterCap, open_populations
from enclave.broker.engines import OpenExtracts, Opening
from enclave.broker.report import GAUSSIAN
from enclave.broker.turns import Turns
from enclave.budget import Amount, Charge, Ledger, Share, StoredAnswer
from enclave.catalogue import Dataset, Profile, find, keep_profile
from enclave.errors import BadInput, Incident, Refused
from enclave.people import Role, certified
from enclave.query import Portrait, drawn, portrayed
from enclave.store import Keyring, Signature, reading, verify_signature

log = logging.getLogger("enclave.broker")
ACT = "profile"


@dataclass(frozen=True)
class Shop:
    """What a purchase needs of the broker."""

    db: Database
    keyring: Keyring
    ledger: Ledger
    extracts: OpenExtracts
    turns: Turns
    caps: Mapping[str, RegisterCap]


def purchase_message(portrait: Portrait) -> bytes:
    """What a steward signs: this extract's profile at this price. It serves once, since a version is profiled once."""
    dataset = portrait.dataset
    of = {"dataset": dataset.name, "version": dataset.version, "content": dataset.digest}
    return canonical({"act": ACT, **of, "epsilon": portrait.epsilon, "rho": portrait.rho})


def purchase_key(dataset: Dataset) -> str:
    """What the stored histograms are found by: one purchase for each version."""
    of = [dataset.name, dataset.version, dataset.digest, dataset.policy_digest]
    return sha256(canonical({"profile of": of})).hexdigest()


def buy(shop: Shop, said: Mapping[str, Any]) -> Dataset:
    """Carry out what a steward said; the dataset with its profile."""
    try:
        name, version = str(said["dataset"]), int(said["version"])
        epsilon, steward = str(said["epsilon"]), str(said["steward"])
        signature = Signature(str(said["public_key"]), str(said["signature"]))
    except (KeyError, ValueError) as broken:
        raise BadInput("broker.bad_act") from broken
    dataset = find(shop.db, name)
    if dataset.version != version:
        raise Refused("profile.not_shelved", dataset=name, version=version)
    portrait = portrayed(dataset, epsilon)
    _check_steward(shop, steward, signature, purchase_message(portrait))
    key = purchase_key(dataset)
    with shop.turns.turn(key) as turn:
        dataset = find(shop.db, name, version)  # somebody may have bought it while we waited
        if dataset.profile is not None:
            raise Refused("profile.bought", dataset=name, version=version)
        stored = shop.ledger.find_answer(key)
        if stored is None:
            turn.until = time.monotonic() + portrait.turn_ms / 1000
            profile = _drawn(shop, portrait, key, steward)
        else:
            profile = _stored(stored)
        return keep_profile(shop.db, shop.keyring, steward, dataset, profile)


def _check_steward(shop: Shop, steward: str, signature: Signature, message: bytes) -> None:
    with reading(shop.db) as connection:
        paper = certified(
            connection,
            shop.keyring.public_key,
            member=steward,
            public_key=signature.public_key,
            role=Role.STEWARD,
            at=now(),
        )
    if paper is None:
        raise Refused("profile.no_steward", steward=steward)
    verify_signature(message, signature)


def _drawn(shop: Shop, portrait: Portrait, key: str, steward: str) -> Profile:
    """(3) to (5)."""
    dataset = portrait.dataset
    accounts = open_populations(shop.ledger, dataset.registers, shop.caps)
    what: dict[str, str | int] = {"member": steward, "dataset": dataset.name, "question": key, GAUSSIAN: portrait.rho}
    shares = tuple(Share(account, Amount(portrait.rho)) for account in accounts)
    reservation = shop.ledger.reserve(Charge(shares, what))
    shop.extracts.charged(dataset, reservation.seq)
    opening = Opening(shop.extracts, dataset)
    try:
        totals = opening.totals(portrait.statements, (), portrait.cap_ms)
        profile = drawn(portrait, totals, reservation=reservation.seq)
    except Exception as trouble:  # noqa: BLE001 - the charge stands, and its words may quote a row
        log.error("the profile of %s failed: %s", dataset.name, type(trouble).__name__)
        shop.ledger.settle(reservation, answer_key=key, answer=None, incident=True)
        raise Incident("profile.failed", dataset=dataset.name) from None
    finally:
        opening.tidy(lambda: unclean.freeze(shop.ledger, dataset, reservation.seq))
    shop.ledger.settle(reservation, answer_key=key, answer=profile.to_json().encode())
    return profile


def _stored(stored: StoredAnswer) -> Profile:
    """(2), what a crash kept from the dictionary."""
    return Profile.from_json(stored.answer.decode())
