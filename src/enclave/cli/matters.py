"""What waits for a person, and what they say: of requests and grants, of code, of outputs."""

from __future__ import annotations

from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import say
from enclave import access
from enclave.api.requests import shown
from enclave.bootstrap.house import open_house
from enclave.cli.door import at
from enclave.run import review as code_
from enclave.vet.review import Verdict, decide

Reason = Annotated[str, typer.Option(help="Why; kept with the decision.")]


def requests(context: typer.Context, json: AsJson = False) -> None:
    """Requests you may see."""
    door = at(context)
    with open_house(door.settings).closing() as house:
        rows = [shown(house, r) for r in access.listing(house.db, house.permissions, door.member)]
    if json:
        as_json(rows)
    else:
        table("", ("request", "state", "author", "dataset", "epsilon_project", "measure", "ends_on", "title"), rows)


def approve(context: typer.Context, request: str, reason: Reason = "") -> None:
    """Sign the approval that is due, as the steward or officer you are."""
    door = at(context)
    after = access.approve(
        door.db, door.keyring, door.permissions, door.member, request, token=door.token, reason=reason
    )
    tell(say("house.done", what=request, state=after.state.value))


def return_(context: typer.Context, matter: str, reason: Reason) -> None:
    """Give a request or an output back for changes."""
    door = at(context)
    if matter.startswith("out_"):
        _decide(context, matter, "return", reason)
        return
    after = access.return_(
        door.db, door.keyring, door.permissions, door.member, matter, token=door.token, reason=reason
    )
    tell(say("house.done", what=matter, state=after.state.value))


def refuse(context: typer.Context, matter: str, reason: Reason) -> None:
    """Refuse a request, the code of a run, or an output."""
    door = at(context)
    if matter.startswith("run_"):
        _decide_on_code(context, matter, "refuse", reason)
        return
    if matter.startswith("out_"):
        _decide(context, matter, "refuse", reason)
        return
    after = access.refuse(door.db, door.keyring, door.permissions, door.member, matter, token=door.token, reason=reason)
    tell(say("house.done", what=matter, state=after.state.value))


def revoke(context: typer.Context, project: str, reason: Reason) -> None:
    """End a project's grant at once."""
    door = at(context)
    after = access.revoke(door.db, door.keyring, door.permissions, door.member, project, reason=reason)
    tell(say("house.done", what=project, state=after.state.value))


def _decide(context: typer.Context, output: str, verdict: Verdict, reason: str) -> None:
    door = at(context)
    after = decide(door.db, door.permissions, door.member, output, verdict, reason)
    tell(say("house.done", what=output, state=after.state.value))


def pass_(context: typer.Context, matter: str, reason: Reason = "") -> None:
    """Let an output leave, or the code of a run (and every later run of the same) run."""
    if matter.startswith("run_"):
        _decide_on_code(context, matter, "pass", reason)
    else:
        _decide(context, matter, "pass", reason)


def _decide_on_code(context: typer.Context, run: str, verdict: code_.Verdict, reason: str) -> None:
    door = at(context)
    with open_house(door.settings).closing() as house:
        after = code_.decide(house.db, house.permissions, door.member, run, verdict, reason, house.limits)
    tell(say("house.done", what=run, state=after.state.value))


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    for verb in (requests, approve, refuse, revoke):
        app.command()(verb)
    app.command("return")(return_)
    app.command("pass")(pass_)
