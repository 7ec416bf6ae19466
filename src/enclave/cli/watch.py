"""The trace: verify it, search it. The wall: see what holds on this machine."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave import audit as trace
from enclave.cli.door import at
from enclave.custody.proof import verify_house
from enclave.people import Action
from enclave.watch import frozen
from enclave.watch import incidents as found_incidents

audit = typer.Typer(help="What happened, provably, in order.", no_args_is_help=True)


@audit.command("verify")
def verify(context: typer.Context, json: AsJson = False) -> None:
    """Walk both chains from the first entry, and hold them against every signed checkpoint."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.AUDIT_VERIFY, "trace")
    proof = verify_house(door.place, door.db, door.keyring)
    if json:
        as_json({"ok": True, "events": proof.events, "entries": proof.entries, "checkpoints": proof.checkpoints})
    else:
        tell(say("house.audit_ok", events=proof.events, entries=proof.entries, checkpoints=proof.checkpoints))


@audit.command("search")
def search(
    context: typer.Context,
    actor: Annotated[str, typer.Option(help="Only what this member or process did.")] = "",
    kind: Annotated[str, typer.Option(help="Only events whose kind begins so.")] = "",
    subject: Annotated[str, typer.Option(help="Only what was done to this.")] = "",
    since: Annotated[int, typer.Option(help="After this event.")] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    json: AsJson = False,
) -> None:
    """Who did what to which, in order."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.AUDIT_SEARCH, "trace")
    rows = trace.search(door.db, actor=actor, kind=kind, subject=subject, since=since, limit=limit)
    if json:
        as_json(rows)
    else:
        table("", ("seq", "at", "kind", "actor", "subject", "detail"), rows)


def incidents(context: typer.Context, json: AsJson = False) -> None:
    """Charged questions that failed on our side, and the accounts that stand frozen."""
    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.BUDGET_READ, "incidents", {"members": ()})
    rows = [asdict(one) for one in found_incidents(door.place)]
    stopped = [asdict(one) for one in frozen(door.place, preferred_language())]
    if json:
        as_json({"incidents": rows, "frozen": stopped})
        return
    table("", ("entry", "at", "reservation", "run"), rows)
    table("", ("kind", "name", "since_entry", "by", "why"), stopped)


class Checked(StrEnum):
    """What can be checked."""

    WALL = "wall"


def selfcheck(
    context: typer.Context,
    what: Annotated[Checked, typer.Argument(help="What to try.")] = Checked.WALL,
    every: Annotated[bool, typer.Option("--all", help="Every probe, not only those that do not hold.")] = False,
    json: AsJson = False,
) -> None:
    """Try the wall from inside on this machine and say what holds; exit 78 where it does not."""
    from enclave.bootstrap.worker import build_wall
    from enclave.run.machine import facts
    from enclave.run.selfcheck import BY_DESIGN
    from enclave.run.selfcheck import selfcheck as check_wall

    door = at(context)
    door.permissions.enforce(door.db, door.member, Action.SELFCHECK, what.value)
    wall = build_wall(door.settings, lambda code: tell(say(code)))
    found, checks = facts(wall), check_wall(wall)
    rows = [{"check": c.name, "holds": "yes" if c.ok else "NO", "found": c.found} for c in checks]
    if json:
        as_json({"machine": found, "checks": rows})
    else:
        table("", ("machine", "found"), [{"machine": name, "found": text} for name, text in found.items()])
        tell(say(wall.counted_by))
        tell(say(wall.shared_by))
        shown = [row for row in rows if every or row["holds"] == "NO"]
        if shown:
            table("", ("check", "holds", "found"), shown)
        opened = sum(c.found == BY_DESIGN for c in checks)
        tell(say("run.selfcheck_told", tried=len(checks), held=sum(c.ok for c in checks) - opened, opened=opened))
    if not all(c.ok for c in checks):
        raise typer.Exit(78)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.add_typer(audit, name="audit")
    app.command()(incidents)
    app.command()(selfcheck)
