"""What waits for a person: requests and grants, code to read, outputs."""

from __future__ import annotations

from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave import access
from enclave.api.requests import shown
from enclave.api.reviews import review_card, waiting_card
from enclave.bootstrap.house import open_house
from enclave.cli.door import at
from enclave.people import Action
from enclave.run import review as code_
from enclave.vet import listing as outputs_
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


def outputs(context: typer.Context, json: AsJson = False) -> None:
    """Outputs that wait for a decision, with what the rules found."""
    door = at(context)
    rows = [
        {
            "output": s.id,
            "run": s.run,
            "kind": s.kind,
            "title": s.title,
            "state": s.state.value,
            "findings": "; ".join(f"{f.verdict}: {f.rule}" for f in s.findings if f.verdict != "pass"),
        }
        for s in outputs_.waiting(door.db)
        if door.permissions.may(door.member, Action.OUTPUT_READ, s.facts())
    ]
    if json:
        as_json(rows)
    else:
        table("", ("output", "run", "kind", "state", "findings", "title"), rows)


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


def reviews(context: typer.Context, json: AsJson = False) -> None:
    """Runs whose code waits to be read, of those you may decide on."""
    door = at(context)
    rows = [waiting_card(job).model_dump() for job in code_.waiting(door.db, door.permissions, door.member)]
    if json:
        as_json(rows)
    else:
        table("", ("run", "project", "dataset", "member", "name", "submitted_at"), rows)


def review(
    context: typer.Context,
    run: str,
    whole: Annotated[
        bool, typer.Option("--whole", help="The whole notebook, not what changed since the last pass.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Read a notebook before it runs: what is flagged, what changed since the last pass, or the whole."""
    door = at(context)
    with open_house(door.settings).closing() as house:
        seen = code_.look(house.db, house.permissions, door.member, run, house.limits)
    if json:
        as_json(review_card(seen).model_dump(mode="json"))
        return
    job, last = seen.job, seen.against
    tell(f"{job.run} · {job.state} · {job.project} · {job.dataset} · {job.member} · {job.name}")
    if last is None:
        tell(say("house.code_is_new"))
    else:
        same = last.code == job.code
        tell(
            say(
                "house.code_passed" if same else "house.code_changed", run=last.run, member=last.member, at=last.at[:16]
            )
        )
    for finding in seen.findings:
        words = finding.words_zh if preferred_language() == "zh" else finding.words
        tell(f"{finding.verdict} · {finding.place} · {words}")
    typer.echo(seen.code.text if whole or not seen.diff else seen.diff)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    for verb in (requests, approve, refuse, revoke, reviews, review, outputs):
        app.command()(verb)
    app.command("return")(return_)
    app.command("pass")(pass_)
