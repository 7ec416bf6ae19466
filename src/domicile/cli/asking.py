"""Finding data, asking for access, pricing questions."""

from __future__ import annotations

import json as json_
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from domicile.client import session
from domicile.client.api import Api
from domicile.client.choice import projects
from domicile.client.problem import refusal
from domicile.client.search import Hit, search
from domicile.wire.shapes import Quote
from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say


def api() -> Api:
    """The enclave this person is logged in to."""
    return Api(session.load())


def login(
    url: str,
    token: Annotated[str, typer.Option(envvar="DOMICILE_TOKEN", prompt=True, hide_input=True)] = "",
) -> None:
    """Remember an enclave and your token, readable by you alone."""
    enclave = Api(session.Session(session.checked_url(url), token.strip()))
    me = enclave.me()  # a token that opens nothing is not kept
    kept = session.login(url, token, enclave.key())
    tell(say("client.logged_in", url=kept.url, member=me["member"], until=str(me["expires_at"])[:16]))


def datasets(
    words: Annotated[
        list[str] | None, typer.Argument(help="Find variables: a name, a title, a code; 性别, I10 …")
    ] = None,
    json: AsJson = False,
) -> None:
    """The datasets of the catalogue, or the variables that some words fit."""
    found = api().datasets()
    if words:
        _show_hits(search(found, " ".join(words)), json)
        return
    if json:
        as_json([card.model_dump(mode="json") for card in found])
        return
    rows = [
        {
            "name": c.name,
            "version": c.version,
            "title": titled(c.title, c.title_zh),
            "grade": c.grade,
            "unit": c.unit,
            "tables": ", ".join(t.name for t in c.tables),
            "": "DEMO" if c.demo else "",
        }
        for c in found
    ]
    table("", ("name", "version", "title", "grade", "unit", "tables", ""), rows)


def _show_hits(hits: list[Hit], json: bool) -> None:
    rows = [
        {
            "dataset": hit.dataset.name,
            "table": hit.table.name,
            "variable": hit.variable.name,
            "kind": hit.variable.kind,
            "title": titled(hit.variable.title, hit.variable.title_zh),
        }
        for hit in hits
    ]
    if json:
        as_json(rows)
    else:
        table("", ("dataset", "table", "variable", "kind", "title"), rows)


def titled(english: str, chinese: str) -> str:
    """A title in the reader's language, else in the other."""
    return (chinese if preferred_language(dict(os.environ)) == "zh" else english) or english or chinese


def request(form: Path, json: AsJson = False) -> None:
    """Ask for access with a form (TOML): purpose, legal basis, dataset, budget, dates, people."""
    try:
        filled: dict[str, Any] = tomllib.loads(form.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as broken:
        raise refusal("form_unreadable", place=str(form)) from broken
    made = api().request(json_.loads(json_.dumps(filled, default=str)))
    _show_requests([made], json, one=True)


def requests(json: AsJson = False) -> None:
    """Your requests and where each stands."""
    _show_requests(api().requests(), json)


def project(json: AsJson = False) -> None:
    """Your projects: dataset, last day, what each may spend and what is left."""
    enclave = api()
    spent = {a.name: a.epsilon_left for a in enclave.budget() if a.kind == "project"}
    rows = [
        {**r, "left": f"{spent[r['project']]:.3g}" if r["project"] in spent else r["epsilon_project"]}
        for r in projects(enclave)
    ]
    if json:
        as_json(rows)
    else:
        table("", ("project", "dataset", "ends_on", "epsilon_project", "left", "title"), rows)


def _show_requests(found: list[dict[str, Any]], json: bool, *, one: bool = False) -> None:
    if json:
        as_json(found[0] if one else found)
    else:
        table("", ("request", "state", "project", "dataset", "epsilon_project", "measure", "ends_on", "title"), found)


def quote(
    sql: str,
    dataset: Annotated[str, typer.Option(help="Of which dataset.")] = "hospital",
    epsilon: Annotated[str | None, typer.Option(help="How much of the budget, as a decimal.")] = None,
    accuracy: Annotated[str | None, typer.Option(help="Instead: how near the truth the noise must stay.")] = None,
    confidence: Annotated[str | None, typer.Option(help="How surely; 0.95 unless said.")] = None,
    project: Annotated[str | None, typer.Option(help="Show what is left of this project too.")] = None,
    json: AsJson = False,
) -> None:
    """What a question would cost, from its text and the dictionary alone."""
    found = api().quote(dataset, sql, epsilon, project, accuracy=accuracy, confidence=confidence)
    if json:
        as_json(found.model_dump(mode="json"))
        return
    show_quote(found)


def show_quote(found: Quote) -> None:
    """A quote as people read it."""
    rows = [
        {
            "column": m.column,
            "noise_sd": f"{m.scale:.4g}",
            "clipped_at_most": "" if m.clipped is None else f"{m.clipped:.4g}",
            "clipped_about": "" if m.clipped_about is None else f"{m.clipped_about:.2%}",
            "sensitivity": f"{m.sensitivity:.4g}",
            "bound": m.bound,
        }
        for m in found.mechanisms
    ]
    clipping = ("clipped_at_most", "clipped_about") if any(row["clipped_about"] for row in rows) else ()
    tell(say("client.price", epsilon=f"{found.epsilon:.4g}", delta=f"{found.delta:g}", reply=found.reply_ms))
    if found.keys_delta:
        tell(say("client.keys_delta", delta=f"{found.keys_delta:.3g}"))
    if found.rho_due is not None and found.rho_due < found.rho:
        tell(say("client.due", epsilon=f"{found.epsilon_due or 0:.4g}"))
    table("", ("column", "noise_sd", *clipping, "sensitivity", "bound"), rows)
    if clipping:
        tell(say("client.clipping"))
    show_accounts([a.model_dump() for a in found.accounts])


def show_accounts(accounts: list[dict[str, Any]]) -> None:
    """Accounts in ε."""
    if accounts:
        shown = [{k: f"{v:.4g}" if k.startswith("epsilon") else v for k, v in a.items()} for a in accounts]
        table("", ("kind", "name", "epsilon_cap", "epsilon_spent", "epsilon_left", "delta", "more_such"), shown)
        if not all(account.get("pure") for account in accounts):
            tell(say("client.need_not_add_up"))


budget = typer.Typer(help="What is left of your accounts; ask for more.", invoke_without_command=True)


@budget.callback()
def left(context: typer.Context, json: AsJson = False) -> None:
    """What is left of the accounts you may see."""
    if context.invoked_subcommand is not None:
        return
    found = [a.model_dump(mode="json") for a in api().budget()]
    if json:
        as_json(found)
    else:
        show_accounts(found)


@budget.command("ask")
def ask_for_budget(
    project: Annotated[str, typer.Option(help="Of which project.")],
    reason: Annotated[str, typer.Option(help="What the budget is for; the officer reads it.")],
    epsilon_project: Annotated[str, typer.Option(help="The cap the project shall have, as ε.")] = "",
    epsilon_researcher: Annotated[str, typer.Option(help="The cap your own share shall have, as ε.")] = "",
    json: AsJson = False,
) -> None:
    """Ask the officer for a higher cap."""
    form = {"project": project, "reason": reason}
    form |= {"epsilon_project": epsilon_project, "epsilon_researcher": epsilon_researcher}
    _show_increases([api().ask_for_budget(form)], json)


@budget.command("requests")
def budget_requests(json: AsJson = False) -> None:
    """Your requests for more budget, and what became of them."""
    _show_increases(api().budget_requests(), json)


@budget.command("withdraw")
def withdraw_budget_request(increase: str, json: AsJson = False) -> None:
    """Take a request for more budget back."""
    _show_increases([api().withdraw_budget_request(increase)], json)


def _show_increases(found: list[dict[str, Any]], json: bool) -> None:
    if json:
        as_json(found)
    else:
        columns = ("increase", "state", "project", "epsilon_project", "epsilon_researcher", "decided_by", "answer")
        table("", columns, found)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    for verb in (login, datasets, request, requests, project, quote):
        app.command()(verb)
    app.add_typer(budget, name="budget")
