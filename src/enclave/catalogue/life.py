"""What becomes of the versions of a dataset that is destroyed?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from enclave import audit
from enclave.catalogue.states import EVENTS, State, check_move
from enclave.catalogue.tables import extracts
from enclave.errors import NotFound


@dataclass(frozen=True)
class Destroyed:
    """One version as it was: its number and the digests of its content and file."""

    version: int
    digest: str
    file_digest: str


def destroy_versions(db: Engine, actor: str, name: str, reason: str) -> tuple[Destroyed, ...]:
    """Every version of `name` is destroyed from here on, with an event each, in one transaction; those that are by now.

    NotFound when there never was one. Calling again changes nothing and names the same versions.
    """
    columns = (extracts.c.version, extracts.c.state, extracts.c.digest, extracts.c.file_digest)
    wanted = select(*columns).where(extracts.c.name == name).order_by(extracts.c.version)
    with audit.record(db, audit.Event(DESTRUCTION, actor, f"dataset {name}", {"reason": reason})) as tx:
        found = tx.execute(wanted).all()
        if not found:
            raise NotFound("catalogue.no_dataset", name=name)
        for row in found:
            if row.state != State.DESTROYED:
                check_move(State(row.state), State.DESTROYED)
                facts = {"version": row.version, "content": row.digest}
                tx.also(audit.Event(EVENTS[State.DESTROYED], actor, f"dataset {name}", facts))
        tx.execute(update(extracts).where(extracts.c.name == name).values(state=State.DESTROYED))
    return tuple(Destroyed(row.version, row.digest, row.file_digest) for row in found)


DESTRUCTION = audit.declare("dataset.destruction", "somebody had a dataset destroyed, for a written reason")
