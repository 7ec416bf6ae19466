"""What finished and was not yet vetted; what was decided and has not yet left? Both are read back from the database."""

from __future__ import annotations

import logging

from sqlalchemy import select

from enclave.access import find_project
from enclave.bootstrap.house import House
from enclave.broker.given import known_among
from enclave.errors import EnclaveError
from enclave.release import send
from enclave.release.gather import gather
from enclave.run.job import find as find_run
from enclave.run.job import outputs as declared_by
from enclave.run.states import RunState
from enclave.run.tables import run_outputs, runs
from enclave.store import reading
from enclave.vet.listing import ready
from enclave.vet.policy import Rules
from enclave.vet.review import Finished, Returned, take_in
from enclave.vet.tables import outputs as vetted

log = logging.getLogger("enclave.worker")


def take_in_finished(house: House) -> bool:
    """Bring every finished run's new outputs to vet; True when there were any."""
    missing = (
        select(run_outputs.c.run)
        .join(runs, runs.c.run == run_outputs.c.run)
        .outerjoin(vetted, vetted.c.id == run_outputs.c.output)
        .where(vetted.c.id.is_(None), runs.c.state == RunState.FINISHED)
        .distinct()
    )
    with reading(house.db) as connection:
        found = list(connection.execute(missing).scalars())
    if found:
        rules = Rules.load(house.place.policies / "rules.toml")
        for run in found:
            take_in(
                house.db,
                finished(house, run),
                known_answers=lambda run, ids: known_among(house.db, run, ids),
                rules=rules,
            )
    return bool(found)


def finished(house: House, run: str) -> Finished:
    """A finished run as vet takes it in."""
    job = find_run(house.db, run)
    members = find_project(house.db, job.project).members
    returned = tuple(Returned(o.output, o.ordinal, o.bundle) for o in declared_by(house.db, run))
    return Finished(run, job.member, job.project, tuple(members), returned)


def send_decided(house: House) -> list[str]:
    """Send what was decided and has not left; the runs whose release left now.

    A release that cannot be made (an altered bundle, a missing manifest) holds up no other: it stays decided, and the
    operator's log names it."""
    sent = []
    for run in ready(house.db):
        try:
            rules = Rules.load(house.place.policies / "rules.toml")
            send(house.db, house.place, house.keyring, gather(house.db, house.place, run), rules=rules)
            sent.append(run)
        except (EnclaveError, OSError) as trouble:
            log.error("release of %s: %s", run, trouble)
    return sent
