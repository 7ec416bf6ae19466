"""What is known of a dataset beside its dictionary? Composed here for every door: API, console, terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from fastapi import APIRouter

from domicile.wire.known import BoughtCard, KnownCard, OfferCard, QualityFigure, ValueCard
from enclave.api.identity import AHouse, AMember
from enclave.bootstrap.house import House
from enclave.broker.use import use
from enclave.catalogue import Dataset, Of, find, read_report
from enclave.catalogue.bought import check_profile
from enclave.catalogue.freshness import bought_at, freshness, today
from enclave.errors import Refused
from enclave.intake.report import SCORED, Report, score
from enclave.people import Action, Member
from enclave.profile import summaries
from enclave.query import portrayed
from enclave.release import outputs_of

router = APIRouter(tags=["datasets"])
OFFERED = ("0.1", "0.3", "1")
"""The ε for which it is said what a profile would be worth."""


@router.get("/datasets/{name}/known")
def known(name: str, house: AHouse, member: AMember) -> KnownCard:
    """Freshness, use, and the summaries that were bought, or what they would cost."""
    return known_of(house, member, name)


@router.get("/datasets/{name}/value")
def value(name: str, house: AHouse, member: AMember) -> ValueCard:
    """What a dataset is registered or priced by; reading it is on record."""
    return value_of(house, member, name)


def known_of(house: House, member: Member, name: str) -> KnownCard:
    """What this member may know. Tampered where what was bought is not what the home signed."""
    house.permissions.enforce(house.db, member, Action.DATASET_READ, name)
    dataset = find(house.db, name)
    check_profile(house.keyring, dataset)
    in_full = house.permissions.may(member, Action.BUDGET_READ, {"members": ()})
    return KnownCard(
        dataset=name,
        version=dataset.version,
        freshness=freshness(house.db, dataset, today()),
        use=use(house.db, house.place, dataset, in_full=in_full),
        bought=_bought(house, dataset),
        summaries=summaries(dataset),
        offers=() if dataset.profile else tuple(_offers(dataset)),
    )


def _bought(house: House, dataset: Dataset) -> BoughtCard | None:
    profile, when = dataset.profile, bought_at(house.db, dataset)
    if profile is None or when is None:
        return None
    noise = max((h.noise for h in profile.histograms if h.of is Of.VARIABLE), default=0.0)
    return BoughtCard(
        epsilon=profile.epsilon,
        delta=float(dataset.delta),
        rho=profile.rho,
        bought_at=datetime.fromisoformat(when),
        registers=dataset.registers,
        noise=noise,
        digest=profile.digest,
    )


@lru_cache(maxsize=64)
def _offer(dataset: Dataset, epsilon: str) -> OfferCard | None:
    """None where that ε buys nothing; a function of the dictionary alone."""
    try:
        portrait = portrayed(dataset, epsilon)
    except Refused:
        return None
    scales = [s for thing, s in zip(portrait.things, portrait.scales, strict=True) if thing.of is Of.VARIABLE]
    return OfferCard(epsilon=epsilon, noise=max(scales) / 65536) if scales else None


def _offers(dataset: Dataset) -> Iterator[OfferCard]:
    for epsilon in OFFERED:
        if offer := _offer(dataset, epsilon):
            yield offer


def value_of(house: House, member: Member, name: str) -> ValueCard:
    """The figures of a registration, for who may read reports of intake."""
    dataset = find(house.db, name)
    report = read_report(house.db, house.place, house.keyring, house.permissions, member, name, dataset.version)
    columns = [column for table in dataset.tables for column in table.columns if column.name != table.unit]
    used = use(house.db, house.place, dataset, in_full=True)
    return ValueCard(
        dataset=name,
        version=dataset.version,
        title=dataset.title,
        title_zh=dataset.title_zh,
        domain=dataset.domain,
        grade=dataset.grade,
        openness=dataset.openness,
        legal_basis=dataset.legal_basis,
        size_class=dataset.size_class,
        tables=len(dataset.tables),
        variables=len(columns),
        described=_per_cent(sum(bool(c.title or c.title_zh) for c in columns), len(columns)),
        listed=_per_cent(sum(bool(c.codes) or c.lower is not None for c in columns), len(columns)),
        quality=tuple(_quality(report)),
        freshness=freshness(house.db, dataset, today()),
        use=used,
        released=outputs_of(house.db, [one.project for one in used.by_project]),
        capacity_used=max((_per_cent(a.rho_spent, a.rho_cap) for a in used.accounts), default=0.0),
    )


def _per_cent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _quality(report: Report) -> Iterator[QualityFigure]:
    for category in sorted(SCORED):
        checks = [check for check in report.checks if check.category is category]
        if (found := score(checks)) is not None:
            yield QualityFigure(figure=category.value, per_cent=found / 10, checks=len(checks))
