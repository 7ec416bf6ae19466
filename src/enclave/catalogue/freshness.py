"""How new are the data of a dataset?

From the shelf (when versions came) and the signed text (which days the records are of, how often they are renewed): nothing
is read from records. A version is due one period after the one before; `never` and `irregularly` are never due.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine, select

from domicile.wire.known import FreshnessCard
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.tables import extracts, profiles
from enclave.store import reading

DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
"""The longest each period lasts."""


def today() -> date:
    """The day in UTC, as moments on the shelf are written."""
    return datetime.now(UTC).date()


def freshness(db: Engine, dataset: Dataset, day: date) -> FreshnessCard:
    """Of this version, as of `day`."""
    mine = select(extracts.c.version, extracts.c.shelved_at).where(extracts.c.name == dataset.name)
    with reading(db) as connection:
        rows = connection.execute(mine.order_by(extracts.c.version)).all()
    shelved = {row.version: datetime.fromisoformat(row.shelved_at) for row in rows if row.version <= dataset.version}
    first, here = min(shelved.values()), shelved[dataset.version]
    return card_of(dataset, first, here, len(shelved), day)


def all_fresh(db: Engine, datasets: Iterable[Dataset], day: date) -> dict[str, FreshnessCard]:
    """The same of several, by name."""
    return {dataset.name: freshness(db, dataset, day) for dataset in datasets}


def card_of(dataset: Dataset, first: datetime, here: datetime, versions: int, day: date) -> FreshnessCard:
    """The same from the moments of the first version and of this one."""
    period = DAYS.get(dataset.renewed)
    due = here.date() + timedelta(days=period) if period else None
    return FreshnessCard(
        shelved_at=here,
        versions=versions,
        every_days=(here - first).total_seconds() / 86_400 / (versions - 1) if versions > 1 else None,
        covers_from=date.fromisoformat(dataset.covers_from) if dataset.covers_from else None,
        covers_to=date.fromisoformat(dataset.covers_to) if dataset.covers_to else None,
        renewed=dataset.renewed,
        due_on=due,
        overdue=due is not None and day > due,
    )


def bought_at(db: Engine, dataset: Dataset) -> str | None:
    """When the profile of this version was bought; None where none was."""
    where = (profiles.c.name == dataset.name) & (profiles.c.version == dataset.version)
    with reading(db) as connection:
        return connection.execute(select(profiles.c.bought_at).where(where)).scalar()
