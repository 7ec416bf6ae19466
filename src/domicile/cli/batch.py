"""Plans of runs: priced before they start, handed in as a whole, followed to their end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from domicile.cli.asking import api, show_accounts
from domicile.client import plan
from domicile.client.api import Api
from domicile.client.choice import chosen
from domicile.client.problem import refusal
from domicile.rules.plan import digest_of
from domicile.wire.shapes import BatchCard, BatchForm, StepCard
from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import say

batch = typer.Typer(help="Plans of runs: grids, what follows what, one price.", no_args_is_help=True)
Project = Annotated[str | None, typer.Option(help="Which project pays; else as the file says.")]
Dataset = Annotated[str | None, typer.Option(help="Which dataset is asked; else as the file says.")]
Wait = Annotated[bool, typer.Option("--wait", help="Watch until every run ended.")]
Which = Annotated[str, typer.Argument(help="The batch file, or the id of a batch.")]


def _read(enclave: Api, file: Path, project: str | None, dataset: str | None) -> BatchForm:
    named = plan.chosen_in(file)
    which = chosen(enclave, project or named[0], dataset or named[1])
    return plan.read(file, *which)[0]


def _find(enclave: Api, which: str, project: str | None, dataset: str | None) -> BatchCard:
    """The batch of this id, or the one this file was submitted as."""
    if which.startswith("bat_") and not Path(which).exists():
        return enclave.batch(which)
    form = _read(enclave, Path(which), project, dataset)
    there = [one for one in enclave.batches(digest_of(form)) if one.project == form.project]
    if not there:
        raise refusal("plan_not_submitted", place=which)
    return there[0]


@batch.command()
def check(file: Path, project: Project = None, dataset: Dataset = None, json: AsJson = False) -> None:
    """Every run of a plan and the whole price, beside what is left; nothing starts."""
    enclave = api()
    found = enclave.check_batch(_read(enclave, file, project, dataset))
    _show(found, json)
    if found.refusals:
        raise typer.Exit(3)


@batch.command()
def submit(
    file: Path, project: Project = None, dataset: Dataset = None, wait: Wait = False, json: AsJson = False
) -> None:
    """Hand a plan in. The same plan again is the same batch: nothing of it runs twice."""
    enclave = api()
    found = enclave.submit_batch(_read(enclave, file, project, dataset))
    _to_its_end(enclave, found, wait, json)


@batch.command()
def status(
    which: Which, project: Project = None, dataset: Dataset = None, wait: Wait = False, json: AsJson = False
) -> None:
    """How far each run of a batch is."""
    enclave = api()
    _to_its_end(enclave, _find(enclave, which, project, dataset), wait, json)


@batch.command()
def cancel(which: Which, project: Project = None, dataset: Dataset = None, json: AsJson = False) -> None:
    """Call a batch off, with every run of it that has not ended."""
    enclave = api()
    _show(enclave.cancel_batch(_find(enclave, which, project, dataset).batch), json)


@batch.command("list")
def list_(json: AsJson = False) -> None:
    """The batches of your projects, newest first."""
    found = api().batches()
    if json:
        as_json([one.model_dump(mode="json") for one in found])
        return
    rows = [{**one.model_dump(), "runs": counted(one), "submitted": str(one.submitted_at)[:16]} for one in found]
    table("", ("batch", "state", "name", "project", "runs", "submitted"), rows)


def _to_its_end(enclave: Api, card: BatchCard, wait: bool, json: bool) -> None:
    if wait:
        with Console(stderr=True).status(card.batch) as line:
            while not card.has_ended:
                line.update(" · ".join((card.batch, counted(card), *_running(card))))
                time.sleep(0.5)
                card = enclave.batch(card.batch)
    _show(card, json)
    if wait and set(card.counts) != {"finished"}:
        raise typer.Exit(1)


def counted(card: BatchCard) -> str:
    """How many runs are in which state."""
    return ", ".join(f"{count} {state}" for state, count in sorted(card.counts.items()) if state)


def _running(card: BatchCard) -> list[str]:
    return [f"{one.step} {one.cells_done}/{one.cells}" for one in card.steps if one.state == "running"]


def _share(one: StepCard, card: BatchCard) -> str:
    """Of the price of the whole plan, in the measure it is counted in."""
    mine, whole = (one.epsilon or 0.0, card.epsilon) if card.pure else (one.rho, card.rho)
    return f"{mine * card.occurrences / whole:.1%}" if whole else "–"


def _show(card: BatchCard, json: bool) -> None:
    if json:
        as_json(card.model_dump(mode="json"))
        return
    named = (card.batch, card.state, card.name, card.project, card.dataset, counted(card))
    tell(" · ".join(part for part in named if part))
    rows = [
        {
            **one.model_dump(),
            "follows": ", ".join(dict.fromkeys(name.partition("[")[0] for name in one.after)),
            "parameters": ", ".join(f"{name}={value}" for name, value in one.parameters.items()),
            "price": _share(one, card),
            "run": one.run or "",
            "cells": f"{one.cells_done}/{one.cells}" if one.run else "",
            "why": "" if one.state == "waiting" else one.why,
        }
        for one in card.steps
    ]
    before, since = ("notebook", "parameters", "follows", "price"), ("parameters", "run", "state", "cells", "why")
    table("", ("step", *(since if card.batch else before)), rows)
    tell(say("client.plan_price", runs=len(card.steps) * card.occurrences, epsilon=f"{card.epsilon:.4g}"))
    if card.schedule is not None:
        far = card.schedule
        due = far.due_at.isoformat(timespec="minutes") if far.due_at else "–"
        when = say("client.recurs", cron=far.cron, timezone=far.timezone, due=due, most=card.occurrences)
        done = say("client.recurred", fired=far.fired, passed=far.passed_over)
        tell(f"{when} {done} {far.why}".strip())
    show_accounts([account.model_dump(exclude={"more_such"}) for account in card.accounts])
    for refusal_ in card.refusals:
        tell(refusal_)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.add_typer(batch, name="batch")
