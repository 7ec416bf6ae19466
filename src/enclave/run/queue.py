"""Whose run is next?

Projects take turns: the one with the fewest runs in progress goes first, among equals the one whose latest start lies
furthest back. Within a project the higher priority goes first, then the older run. A priority never moves a run past
another project's. The order is a function of what the database holds, so that several workers agree on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine, func, select

from enclave.run.states import RunState
from enclave.run.tables import runs
from enclave.store import reading

LOWEST, HIGHEST = -9, 9
"""Priorities of a run among those of its project; 0 unless said."""


@dataclass(frozen=True)
class Queued:
    """One run that waits."""

    run: str
    project: str
    priority: int
    submitted_at: str


@dataclass(frozen=True)
class Turn:
    """What a project has had: runs in progress, and when the latest of its runs started ("" for never)."""

    running: int = 0
    latest: str = ""


def in_order(waiting: Iterable[Queued], had: Mapping[str, Turn]) -> Iterator[Queued]:
    """Those that wait, as they would start if none of those in progress ended."""
    queues: dict[str, list[Queued]] = {}
    for one in sorted(waiting, key=lambda q: (-q.priority, q.submitted_at, q.run), reverse=True):
        queues.setdefault(one.project, []).append(one)
    turns = {project: (had.get(project, Turn()).running, 0, had.get(project, Turn()).latest) for project in queues}
    started = 0
    while queues:
        project = min(queues, key=lambda p: (turns[p], p))
        yield queues[project].pop()
        started += 1
        running, _, latest = turns[project]
        turns[project] = (running + 1, started, latest)
        if not queues[project]:
            del queues[project]


def waiting_runs(db: Engine) -> list[Queued]:
    """All that wait, in the order in which they would start."""
    wanted = select(runs.c.run, runs.c.project, runs.c.priority, runs.c.submitted_at)
    latest = select(runs.c.project, func.max(runs.c.started_at)).group_by(runs.c.project)
    running = select(runs.c.project, func.count()).where(runs.c.state == RunState.RUNNING).group_by(runs.c.project)
    with reading(db) as connection:
        found = [Queued(*row) for row in connection.execute(wanted.where(runs.c.state == RunState.QUEUED))]
        if not found:
            return []
        projects = {q.project for q in found}
        had = dict.fromkeys(projects, Turn())
        for project, at in connection.execute(latest.where(runs.c.project.in_(projects))):
            had[project] = Turn(latest=at or "")
        for project, count in connection.execute(running.where(runs.c.project.in_(projects))):
            had[project] = replace(had[project], running=count)
    return list(in_order(found, had))


def place_of(db: Engine, run: str) -> int | None:
    """How many runs would start before this one, plus one; None when it does not wait."""
    return next((at for at, q in enumerate(waiting_runs(db), 1) if q.run == run), None)
