"""Which version of a dataset is asked, and which are there?"""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from enclave.catalogue.bought import with_profile
from enclave.catalogue.dataset import Dataset
from enclave.catalogue.dictionary import from_json
from enclave.catalogue.states import State
from enclave.catalogue.tables import extracts
from enclave.errors import NotFound
from enclave.store import reading


def newest(db: Engine, name: str) -> int:
    """The number of the last version there ever was; 0 before the first."""
    with reading(db) as connection:
        return connection.execute(select(func.max(extracts.c.version)).where(extracts.c.name == name)).scalar() or 0


def stated(db: Engine, name: str, version: int | None) -> Dataset | None:
    """A stated version, or the one on the shelf; None when there is none. NotFound when it was retired or destroyed."""
    wanted = select(extracts.c.dictionary, extracts.c.state).where(extracts.c.name == name)
    if version is None:
        wanted = wanted.where(extracts.c.state == State.SHELVED)
    else:
        wanted = wanted.where(extracts.c.version == version)
    with reading(db) as connection:
        found = connection.execute(wanted.order_by(extracts.c.version.desc()).limit(1)).first()
        if found is not None and found.state in (State.RETIRED, State.DESTROYED):
            raise NotFound(f"catalogue.{found.state}", name=name, version=version)
        return with_profile(connection, from_json(found.dictionary)) if found is not None else None


def find(db: Engine, name: str, version: int | None = None) -> Dataset:
    """The shelved version of a dataset, or a stated one; NotFound when there is none."""
    found = stated(db, name, version)
    if found is None and version is None:
        if last := newest(db, name):
            stated(db, name, last)  # says so when it was retired or destroyed
        raise NotFound("catalogue.no_dataset", name=name)
    if found is None:
        raise NotFound("catalogue.no_version", name=name, version=version)
    return found


def listing(db: Engine) -> tuple[Dataset, ...]:
    """Every dataset's shelved version, by name."""
    wanted = select(extracts.c.dictionary).where(extracts.c.state == State.SHELVED).order_by(extracts.c.name)
    with reading(db) as connection:
        rows = connection.execute(wanted).all()
        return tuple(with_profile(connection, from_json(row.dictionary)) for row in rows)
