"""What do people read before they decide: a notebook before it runs, an output before it leaves?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from domicile.rules import Declared
from domicile.wire.hidden import spelled
from domicile.wire.shapes import Finding
from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave.api.reviews import review_card, waiting_card
from enclave.bootstrap.house import open_house
from enclave.cli.door import at
from enclave.people import Action
from enclave.release.files import csv_bytes
from enclave.run import review as code_
from enclave.vet import Looked, Rules, look
from enclave.vet import listing as outputs_

_ROWS = 100
_Whole = Annotated[
    bool,
    typer.Option("--whole", help="All rows of an output; of a notebook all, not what changed since the last pass."),
]


def reviews(context: typer.Context, json: AsJson = False) -> None:
    """Runs whose code waits to be read, of those you may decide on."""
    door = at(context)
    rows = [waiting_card(job).model_dump() for job in code_.waiting(door.db, door.permissions, door.member)]
    if json:
        as_json(rows)
    else:
        table("", ("run", "project", "dataset", "member", "name", "submitted_at"), rows)


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


def review(context: typer.Context, matter: str, whole: _Whole = False, json: AsJson = False) -> None:
    """Read a notebook before it runs (what is flagged, what changed since the last pass), or an output before it leaves."""
    if matter.startswith("out_"):
        _review_output(context, matter, whole, json)
    else:
        _review_code(context, matter, whole, json)


def _review_output(context: typer.Context, output: str, whole: bool, json: bool) -> None:
    door = at(context)
    rules = Rules.load(door.settings.place.policies / "rules.toml")
    seen = look(door.db, door.permissions, door.member, output, rules)
    if json:
        as_json({**seen.standing.card().model_dump(mode="json"), "shown": "\n".join(_shown(seen.declared, whole=True))})
        return
    tell(_head(seen))
    _tell_findings(seen.standing.findings)
    for line in _shown(seen.declared, whole):
        typer.echo(spelled(line))


def _head(seen: Looked) -> str:
    one, drawn = seen.standing, seen.declared.drawing
    lines = [f"{one.id} · {one.state.value} · {one.project} · {one.run} · {one.owner} · {one.kind}", one.title]
    lines += [seen.declared.context] if seen.declared.context else []
    lines += [" · ".join(f"{name}: {of}" for name, of in vars(drawn).items() if of)] if drawn else []
    return "\n".join([*lines, ", ".join(seen.declared.answers)])


def _shown(declared: Declared, whole: bool) -> Iterator[str]:
    """Line by line what would leave: the text, or the very CSV."""
    if declared.table is None:
        yield from declared.text.split("\n")
        return
    kept = declared.table if whole else declared.table.slice(0, _ROWS)
    yield from csv_bytes(kept).decode("utf-8-sig").removesuffix("\r\n").split("\r\n")
    if kept.num_rows < declared.table.num_rows:
        yield say("vet.more_rows", preferred_language(), count=declared.table.num_rows - kept.num_rows)


def _tell_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        words = finding.words_zh if preferred_language() == "zh" else finding.words
        tell(f"{finding.verdict} · {finding.place} · {words}")


def _review_code(context: typer.Context, run: str, whole: bool, json: bool) -> None:
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
    _tell_findings(seen.findings)
    typer.echo(seen.code.text if whole or not seen.diff else seen.diff)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    for verb in (reviews, review, outputs):
        app.command()(verb)
