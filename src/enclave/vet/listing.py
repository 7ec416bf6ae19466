"""Which outputs are there, and where does each stand?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, select

from domicile.wire.shapes import Finding, OutputCard
from enclave.errors import NotFound
from enclave.store import reading
from enclave.vet.states import State
from enclave.vet.tables import decisions, outputs


@dataclass(frozen=True)
class Standing:
    """An output as the enclave keeps it."""

    id: str
    run: str
    ordinal: int
    owner: str
    project: str
    members: tuple[str, ...]
    kind: str
    title: str
    state: State
    why: str
    findings: tuple[Finding, ...]
    rules_version: int
    rules_digest: str
    bundle: str
    sha256: str
    changed_at: str

    def card(self) -> OutputCard:
        """The output as its author and its reviewers see it."""
        return OutputCard.model_validate(
            {
                "output": self.id,
                "kind": self.kind,
                "title": self.title,
                "state": self.state.value,
                "findings": self.findings,
                "why": self.why,
            }
        )

    def facts(self) -> dict[str, Any]:
        """What permissions are decided on."""
        return {"owner": self.owner, "members": self.members}


@dataclass(frozen=True)
class Decision:
    """One person's decision on one output."""

    output: str
    member: str
    verdict: str
    reason: str
    at: str


def _standing(row: Any) -> Standing:
    kept = {c.name: getattr(row, c.name) for c in outputs.columns if c.name != "taken_at"}
    findings = tuple(Finding.model_validate(f) for f in json.loads(row.findings))
    kept |= {"members": tuple(json.loads(row.members)), "state": State(row.state), "findings": findings}
    return Standing(**kept)


def _all(db: Engine, query: Select[Any]) -> list[Standing]:
    with reading(db) as connection:
        return [_standing(row) for row in connection.execute(query.order_by(outputs.c.run, outputs.c.ordinal))]


def find(db: Engine, output: str) -> Standing:
    """The output `output`; NotFound when there is none."""
    found = _all(db, select(outputs).where(outputs.c.id == output))
    if not found:
        raise NotFound("vet.no_output", output=output[:64])
    return found[0]


def of_run(db: Engine, run: str) -> list[Standing]:
    """The outputs of a run, in the order they were declared."""
    return _all(db, select(outputs).where(outputs.c.run == run))


def waiting(db: Engine) -> list[Standing]:
    """Outputs that wait for a person's decision."""
    return _all(db, select(outputs).where(outputs.c.state.in_([State.CHECKED.value, State.IN_REVIEW.value])))


def ready(db: Engine) -> list[str]:
    """Runs that have a passed output, and none that still waits for a decision: their release can be sent."""
    with reading(db) as connection:
        rows = connection.execute(select(outputs.c.run, outputs.c.state).distinct()).all()
    states: dict[str, set[str]] = {}
    for row in rows:
        states.setdefault(row.run, set()).add(row.state)
    open_states = {State.DECLARED.value, State.CHECKED.value, State.IN_REVIEW.value}
    return sorted(run for run, seen in states.items() if State.CONSOLIDATED.value in seen and not seen & open_states)


def decisions_on(db: Engine, output: str) -> list[Decision]:
    """The decisions on an output, oldest first."""
    query = select(decisions).where(decisions.c.output == output).order_by(decisions.c.ordinal)
    with reading(db) as connection:
        return [Decision(r.output, r.member, r.verdict, r.reason, r.at) for r in connection.execute(query)]
