"""How does an output come to be passed, returned or refused?

`take_in` brings a finished run's outputs in, each checked in the same breath: what is no output at all is refused there,
by name. `decide` is one steward's decision. Nobody decides an output of their own run or project (Cedar), nobody passes an
output with a finding that forbids release, and a pass over a finding that asks for a look carries its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, insert, select, update

from domicile.wire.shapes import Finding
from enclave.audit import Event, Transaction, record
from enclave.audit.event import now
from enclave.errors import BadInput, Refused
from enclave.people.member import Member
from enclave.people.permissions import Action, Permissions
from enclave.people.refusal import refusals_recorded
from enclave.store import reading
from enclave.vet import bundle, checks
from enclave.vet.listing import Standing, find
from enclave.vet.policy import Rules
from enclave.vet.states import EVENTS, MOVES, State
from enclave.vet.tables import decisions, outputs

Verdict = Literal["pass", "return", "refuse"]
_LEADS_TO: dict[Verdict, State] = {"pass": State.CONSOLIDATED, "return": State.RETURNED, "refuse": State.REFUSED}
_MAX_REASON = 2_000
_SYSTEM = "worker"


@dataclass(frozen=True)
class Returned:
    """One bundle as a finished run handed it back."""

    id: str
    ordinal: int
    bundle: bytes | str


@dataclass(frozen=True)
class Finished:
    """A finished run: whose it is, who else belongs to its project, what it returned."""

    run: str
    owner: str
    project: str
    members: tuple[str, ...]
    outputs: tuple[Returned, ...]


@dataclass(frozen=True)
class _Seen:
    """An output after its checks."""

    kind: str
    title: str
    state: State
    why: str
    code: str
    findings: tuple[Finding, ...]
    bundle: str


def take_in(
    db: Engine, finished: Finished, *, known_answers: Callable[[str, Collection[str]], Collection[str]], rules: Rules
) -> list[str]:
    """Take in what a finished run returned; the ids that are new. Repeating it changes nothing, nor do two at once."""
    query = select(outputs.c.ordinal).where(outputs.c.run == finished.run)
    with reading(db) as connection:
        known = set(connection.execute(query).scalars())
    taken = []
    for returned in finished.outputs:
        if returned.ordinal not in known:
            seen = _seen(returned, lambda ids: known_answers(finished.run, ids), rules)
            with suppress(_TakenIn):
                _keep(db, finished, returned, seen, rules)
                taken.append(returned.id)
    return taken


class _TakenIn(Exception):
    """Another worker took it in between the look and the lock; neither row nor event is kept."""


def _seen(returned: Returned, known_answers: checks.KnownAnswers, rules: Rules) -> _Seen:
    try:
        declared = bundle.parse(returned.bundle, rules.limits)
        findings = tuple(checks.run(declared, known_answers, rules))
    except BadInput as refusal:
        why = f"{refusal.words('en')} / {refusal.words('zh')}"
        return _Seen("text", "", State.REFUSED, why, refusal.code, (), "")
    text = returned.bundle if isinstance(returned.bundle, str) else returned.bundle.decode()
    return _Seen(declared.kind, declared.title, State.CHECKED, "", "", findings, text)


def _keep(db: Engine, finished: Finished, returned: Returned, seen: _Seen, rules: Rules) -> None:
    raw = returned.bundle.encode() if isinstance(returned.bundle, str) else returned.bundle
    digest, at = hashlib.sha256(raw).hexdigest(), now()
    row = {
        "id": returned.id, "run": finished.run, "ordinal": returned.ordinal, "owner": finished.owner,
        "project": finished.project, "members": json.dumps(sorted({finished.owner, *finished.members})),
        "kind": seen.kind, "title": seen.title, "state": seen.state.value, "why": seen.why,
        "findings": json.dumps([f.model_dump() for f in seen.findings], ensure_ascii=False),
        "rules_version": rules.version, "rules_digest": rules.digest,
        "bundle": seen.bundle, "sha256": digest, "taken_at": at, "changed_at": at,
    }  # fmt: skip
    declared = Event(EVENTS[State.DECLARED], _SYSTEM, returned.id, {"run": finished.run, "sha256": digest})
    there = select(outputs.c.id).where(outputs.c.run == finished.run, outputs.c.ordinal == returned.ordinal)
    with record(db, declared) as tx:
        if tx.execute(there).first() is not None:
            raise _TakenIn
        tx.also(Event(EVENTS[seen.state], _SYSTEM, returned.id, _trace(seen, rules)))
        tx.execute(insert(outputs), row)


def _trace(seen: _Seen, rules: Rules) -> dict[str, Any]:
    verdicts = [f.verdict for f in seen.findings]
    counts = {"fail": verdicts.count("fail"), "review": verdicts.count("review")}
    return {"kind": seen.kind, "code": seen.code, "findings": counts, "rules": rules.digest}


def check_decide(standing: Standing, verdict: Verdict, reason: str) -> None:
    """Refused, with why, unless `verdict` may be given on an output that stands so."""
    if _LEADS_TO[verdict] not in MOVES[standing.state]:
        raise Refused("vet.not_waiting", output=standing.id, state=standing.state.value)
    looked_at = any(f.verdict == "review" for f in standing.findings)
    if not reason.strip() and (verdict != "pass" or looked_at):
        raise BadInput("vet.reason_missing", place="reason")
    if len(reason) > _MAX_REASON:
        raise BadInput("vet.reason_long", place="reason", limit=_MAX_REASON)
    forbidding = sorted({f.rule for f in standing.findings if f.verdict == "fail"})
    if verdict == "pass" and forbidding:
        raise Refused("vet.fail_stands", output=standing.id, rules=", ".join(forbidding))


def decide(
    db: Engine, permissions: Permissions, member: Member, output: str, verdict: Verdict, reason: str = ""
) -> Standing:
    """One member's decision on one output: `pass`, `return` (try again) or `refuse`."""
    if verdict not in _LEADS_TO:
        raise BadInput("vet.verdict_unknown", place="verdict")
    standing = find(db, output)
    allowed = permissions.enforce(db, member, Action.OUTPUT_DECIDE, output, standing.facts())
    with refusals_recorded(db, member.id, Action.OUTPUT_DECIDE, output):
        check_decide(standing, verdict, reason)
        state = _LEADS_TO[verdict]
        detail = {
            "run": standing.run,
            "verdict": verdict,
            "reason": reason,
            "sha256": standing.sha256,
        } | allowed.trace()
        with record(db, Event(EVENTS[state], member.id, output, detail)) as tx:
            move(tx, standing, state, why="" if verdict == "pass" else reason)
            tx.execute(insert(decisions), _decision(tx, member.id, output, verdict, reason, allowed.policy))
    return find(db, output)


def _decision(
    tx: Transaction, member: str, output: str, verdict: str, reason: str, allowed_by: str
) -> dict[str, str | int]:
    before = tx.execute(select(decisions.c.ordinal).where(decisions.c.output == output)).scalars().all()
    return {
        "output": output, "ordinal": len(before) + 1, "member": member, "verdict": verdict,
        "reason": reason, "allowed_by": allowed_by, "at": now(),
    }  # fmt: skip


def move(tx: Transaction, standing: Standing, state: State, *, why: str = "") -> None:
    """Move an output inside a transaction that carries the event; Refused when it stands elsewhere by now."""
    if state not in MOVES[standing.state]:
        raise Refused("vet.not_waiting", output=standing.id, state=standing.state.value)
    where = (outputs.c.id == standing.id) & (outputs.c.state == standing.state.value)
    changed = tx.execute(update(outputs).where(where).values(state=state.value, why=why, changed_at=now()))
    if changed.rowcount != 1:
        raise Refused("vet.moved_meanwhile", output=standing.id)


def move_all(tx: Transaction, standings: Iterable[Standing], state: State, actor: str, facts: dict[str, Any]) -> None:
    """Move several outputs in one transaction, each with its event."""
    for standing in standings:
        tx.also(Event(EVENTS[state], actor, standing.id, {"run": standing.run, "sha256": standing.sha256} | facts))
        move(tx, standing, state)
