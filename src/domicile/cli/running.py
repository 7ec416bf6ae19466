"""Submitting notebooks, watching them run, taking releases home."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from domicile.cli.asking import api
from domicile.client import session
from domicile.client.api import Api
from domicile.client.choice import chosen
from domicile.client.fetch import fetch as fetch_release
from domicile.client.notebook import Notebook, words_of
from domicile.client.problem import refusal
from domicile.rules import failed
from domicile.rules.code import examine_code
from domicile.verified import verify as verify_release
from domicile.wire import told
from domicile.wire.shapes import RunCard
from domicile.wire.terminal import AsJson, as_json, console, table, tell
from domicile.wire.words import preferred_language, say

Parameters = Annotated[list[str] | None, typer.Option("-p", help="A parameter, name=value; may be repeated.")]


def submit(
    notebook: Path,
    project: Annotated[str | None, typer.Option(help="Which project pays; needed when you have several.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Which dataset it asks; needed when there are several.")] = None,
    p: Parameters = None,
    priority: Annotated[int, typer.Option(help="Before (1 to 9) or after (-1 to -9) the project's other runs.")] = 0,
    wait: Annotated[bool, typer.Option("--wait", help="Watch until it ended.")] = False,
    json: AsJson = False,
) -> None:
    """Submit a notebook to run behind the wall."""
    read = Notebook.read(notebook)
    parameters = read.parameters(words_of(p))  # whatever does not fit is refused before anything leaves this machine
    enclave = api()
    project, dataset = chosen(enclave, project, dataset)
    what = {"project": project, "dataset": dataset, "name": read.name}
    shown_to_its_end(enclave, enclave.submit(read.text, parameters=parameters, priority=priority, **what), wait, json)


def lint(notebook: Path, p: Parameters = None, json: AsJson = False) -> None:
    """Check a notebook here: the parameters it declares, whether those given with -p fit, what a reviewer would look at."""
    read = Notebook.read(notebook)
    given = read.parameters(words_of(p)) if p else None
    declared = read.schema.declared() if read.schema else None
    findings = examine_code(read.cells)
    if json:
        shown = [finding.model_dump() for finding in findings]
        as_json({"parameters": declared, "given": given, "findings": shown})
    else:
        _show_declared(declared, given or {})
        chinese = preferred_language() == "zh"
        rows = [{**f.model_dump(), "finding": f.words_zh if chinese else f.words} for f in findings]
        if rows:
            table("", ("verdict", "place", "finding"), rows)
    if failed(findings):
        raise typer.Exit(1)


def _show_declared(declared: dict[str, Any] | None, given: Mapping[str, Any]) -> None:
    if declared is None:
        tell(say("client.declares_nothing"))
        return
    rows = [
        {
            "parameter": name,
            **said,
            "bounds": " … ".join(str(said.get(end, "")) for end in ("min", "max")).strip(" …"),
            "values": ", ".join(said.get("values", ())[:8]),
            "given": given.get(name, ""),
        }
        for name, said in declared.items()
    ]
    table("", ("parameter", "type", "default", "bounds", "values", "given", "description"), rows)


def rehearse(
    notebook: Path,
    p: Parameters = None,
    to: Annotated[Path | None, typer.Option(help="Where the executed notebook goes; else beside it.")] = None,
    project: Annotated[str | None, typer.Option(help="Which project would pay.")] = None,
    json: AsJson = False,
) -> None:
    """Run a notebook here, on the invented twin: free; say what it would cost on the real records."""
    try:
        from domicile.lab.rehearse import rehearse as run_here
    except ImportError as missing:
        raise refusal("needs_lab") from missing
    read = Notebook.read(notebook)
    parameters = read.parameters(words_of(p))
    enclave = api()
    project, dataset = chosen(enclave, project)
    executed = to or notebook.with_name(f"{notebook.stem}.rehearsed.ipynb")
    done = run_here(notebook, parameters, executed, project)
    account = next((a for a in enclave.budget() if a.name == project), None)
    measure, cost, left = done.against(account)
    if json:
        facts = {"questions": len(done.questions), measure: cost, f"{measure}_left": left, "outputs": done.outputs}
        bought = enclave.known(dataset).bought
        as_json({**facts, "executed": str(executed), "twin": "marginals" if bought else "dictionary"})
        return
    share = f"{cost / left:.1%}" if left else "–"
    asked, declared = len(done.questions), len(done.outputs)
    tell(say("client.rehearsed", dataset=dataset, project=project, share=share, questions=asked, outputs=declared))
    tell(told.twin(enclave.known(dataset), preferred_language()))
    tell(str(executed))


def retry(
    run: str, wait: Annotated[bool, typer.Option("--wait", help="Watch until it ended.")] = False, json: AsJson = False
) -> None:
    """Submit the notebook and parameters of a run that ended once more; answers it was given cost nothing again."""
    enclave = api()
    shown_to_its_end(enclave, enclave.retry(run), wait, json)


def shown_to_its_end(enclave: Api, card: RunCard, wait: bool, json: bool) -> None:
    """The run as it stands, or, watched, as it ended; exit 1 when it did not finish."""
    if wait:
        card = watch(enclave, card)
    show_run(card, json)
    if wait and card.state != "finished":
        raise typer.Exit(1)


def watch(enclave: Api, card: RunCard) -> RunCard:
    """Follow a run to its end; where somebody watches, show stage and cells as they pass."""
    with Console(stderr=True).status(card.run) as line:
        budget, asked = "", -1
        while not card.has_ended or card.awaits_checks:
            time.sleep(0.3)
            card = enclave.run(card.run)
            if card.questions != asked:
                budget, asked = left(enclave, card), card.questions
            line.update(" · ".join(word for word in (card.run, *progress(card), budget) if word))
    return card


def progress(card: RunCard) -> list[str]:
    """Where it is: its place in the queue, or its stage, cells done and questions asked."""
    if card.place is not None:
        return [say("client.queued", place=card.place)]
    if card.state in ("submitted", "waiting"):
        return [card.why]
    return [
        card.state,
        card.stage,
        say("client.cells", done=card.cells_done, cells=card.cells, questions=card.questions),
    ]


def left(enclave: Api, card: RunCard) -> str:
    """What the project may still spend."""
    mine = (a for a in enclave.budget() if (a.kind, a.name) == ("project", card.project))
    return next((say("client.left", epsilon=f"{account.epsilon_left:.3g}") for account in mine), "")


def show_run(card: RunCard, json: bool) -> None:
    """One run, with its outputs and what the rules found."""
    if json:
        as_json(card.model_dump(mode="json"))
        return
    tell(f"{card.run} · {card.state} · {card.cells_done}/{card.cells}" + (f" · {card.why}" if card.why else ""))
    rows = [
        {
            "output": o.output,
            "kind": o.kind,
            "title": o.title,
            "state": o.state,
            "findings": "; ".join(f.words for f in o.findings if f.verdict != "pass") or o.why,
        }
        for o in card.outputs
    ]
    if rows:
        table("", ("output", "kind", "state", "findings", "title"), rows)


def runs(json: AsJson = False) -> None:
    """Your runs, newest first."""
    found = api().runs()
    if json:
        as_json([card.model_dump(mode="json") for card in found])
        return
    rows = [{**c.model_dump(), "cells": f"{c.cells_done}/{c.cells}", "at": str(c.submitted_at)[:16]} for c in found]
    table("", ("run", "state", "stage", "cells", "at", "project", "why"), rows)


def run(run: str, json: AsJson = False) -> None:
    """One run."""
    show_run(api().run(run), json)


def cancel(run: str, json: AsJson = False) -> None:
    """Call a run off."""
    show_run(api().cancel(run), json)


def fetch(
    name: Annotated[str, typer.Argument(help="A run, an output or a release.")],
    to: Annotated[Path | None, typer.Option(help="The new folder; else one of that name here.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a release that was passed to be made.")] = 30,
) -> None:
    """Fetch what was released."""
    from domicile.client import ProblemError

    give_up = time.monotonic() + wait
    target = to or Path(name)
    while True:
        try:
            fetch_release(api(), name, target)
            break
        except ProblemError as refused:
            if refused.problem.code != "release.none" or time.monotonic() > give_up:
                raise
            time.sleep(0.3)
    for path in sorted(p for p in target.rglob("*") if p.is_file()):
        console().print(str(path.relative_to(target.parent)))


def verify(
    release: Path, key: Annotated[str | None, typer.Option(help="The enclave's public key, in hex.")] = None
) -> None:
    """Is this what the enclave sent, unaltered?"""
    report = verify_release(release, key or session.load().public_key)
    tell(str(report))
    if not report.ok:
        raise typer.Exit(5)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    for verb in (rehearse, lint, submit, retry, runs, run, cancel, fetch, verify):
        app.command()(verb)
