"""How does a worker carry out the run it leased?

Everything between lease and end: the jail, the lease renewed while it lives, the declared outputs taken out of what came
back, and the end recorded. Whatever goes wrong on the way ends the run by name; nothing half-done stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Engine

from enclave.errors import BadInput, Refused
from enclave.run import jail
from enclave.run.frames import Progress
from enclave.run.job import Job
from enclave.run.lease import check_still_held, finish, renew
from enclave.run.notebook import Source
from enclave.run.output import Bundle, collect, executed
from enclave.run.pool import Waiting
from enclave.run.states import RunState
from enclave.run.wall import Wall

_LOOK = 1.0  # seconds between looks at the database whether the run was cancelled
_TELL = 1.0  # seconds at least between two notes of how far it is


class _Lease:
    """Renews a lease at a third of its length, and notices when the run is no longer ours."""

    def __init__(self, db: Engine, held: Job, seconds: float) -> None:
        self._db, self._held, self._seconds = db, held, seconds
        self._renewed = self._looked = time.monotonic()
        self.progress: Progress | None = None
        self._told: Progress | None = None

    def note(self, progress: Progress) -> None:
        self.progress = progress

    def still_ours(self) -> bool:
        now = time.monotonic()
        try:
            news = self.progress != self._told and now - self._renewed > _TELL
            if news or now - self._renewed > self._seconds / 3:
                renew(self._db, self._held, self._seconds, self.progress)
                self._told, self._renewed, self._looked = self.progress, now, now
            elif now - self._looked > _LOOK:
                check_still_held(self._db, self._held)
                self._looked = now
        except Refused:
            return False
        return True


def perform(
    db: Engine,
    wall: Wall,
    held: Job,
    *,
    lease_seconds: float,
    given: Waiting | None = None,
    questions: Callable[[], int] = lambda: 0,
) -> Job:
    """Run `held` behind `wall` and record how it ended; the run as it then stands.

    `given` is a jail whose channel is bound to this run; without one it gets a jail that can ask nothing. Refused when the
    lease was lost meanwhile; NoWall (the run stays leased, and is queued again when the lease lapses) when this machine
    cannot build the jail.
    """
    source = Source.read(held.notebook, wall.limits)
    lease = _Lease(db, held, lease_seconds)
    spec = jail.JailSpec(source, held.parameters)
    if given is None:
        outcome = jail.run(wall, spec, on_progress=lease.note, still_wanted=lease.still_ours)
    else:
        outcome = given.jail.carry_out(
            spec, bell=given.line.control, on_progress=lease.note, still_wanted=lease.still_ours
        )
    check_still_held(db, held)
    state, why, bundles, rebuilt = RunState(outcome.state), outcome.why, tuple[Bundle, ...](), None
    if outcome.notebook is not None:
        try:
            bundles = collect(outcome.notebook, source, wall.limits)
            rebuilt = executed(source, bundles)
        except BadInput as reason:
            state, why = RunState.FAILED, reason.code
    return finish(
        db,
        held,
        state,
        why=why,
        error=outcome.error,
        bundles=bundles,
        executed=rebuilt,
        environment=wall.environment.digest,
        questions=questions(),
        progress=lease.progress,
    )
