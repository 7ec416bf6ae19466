"""What becomes of the versions of a dataset that is retired, or destroyed?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select, update

from enclave import audit
from enclave.catalogue.states import EVENTS, State, check_move
from enclave.catalogue.tables import extracts
from enclave.errors import BadInput, NotFound, Refused


@dataclass(frozen=True)
class Destroyed:
    """One version as it was: its number and the digests of its content and file."""

    version: int
    digest: str
    file_digest: str


def retire_versions(db: Engine, actor: str, name: str, reason: str) -> tuple[int, ...]:
    """Every version of `name` that stands leaves the shelf, with an event each, in one transaction: which they were.

    From then on nobody is given one: no request, no run, no question, no twin. Refused when none stands; NotFound when there
    never was one. A later intake puts the next version on the shelf.
    """
    if not reason.strip():
        raise BadInput("custody.no_reason")
    wanted = select(extracts.c.version, extracts.c.state).where(extracts.c.name == name).order_by(extracts.c.version)
    with audit.record(db, audit.Event(RETIREMENT, actor, f"dataset {name}", {"reason": reason.strip()})) as tx:
        found = tx.execute(wanted).all()
        standing = [row.version for row in found if row.state in (State.SHELVED, State.SUPERSEDED)]
        if not found:
            raise NotFound("catalogue.no_dataset", name=name)
        if not standing:
            raise Refused("catalogue.nothing_stands", name=name)
        for row in found:
            if row.version in standing:
                check_move(State(row.state), State.RETIRED)
                tx.also(audit.Event(EVENTS[State.RETIRED], actor, f"dataset {name}", {"version": row.version}))
        gone = (extracts.c.name == name) & extracts.c.version.in_(standing)
        tx.execute(update(extracts).where(gone).values(state=State.RETIRED))
    return tuple(standing)


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


RETIREMENT = audit.declare("dataset.retirement", "somebody took a dataset off the shelf, for a written reason")
DESTRUCTION = audit.declare("dataset.destruction", "somebody had a dataset destroyed, for a written reason")
