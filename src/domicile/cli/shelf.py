"""What a dataset is: its dictionary, what was bought of its persons, how fresh it is and how it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from domicile.cli.asking import api, titled
from domicile.client.problem import refused
from domicile.wire import told
from domicile.wire.known import KnownCard, SummaryCard
from domicile.wire.shapes import DatasetCard, TableCard, VariableCard
from domicile.wire.terminal import AsJson, as_json, bars, table, tell
from domicile.wire.words import preferred_language, say

Summaries = Mapping[tuple[str, str], SummaryCard]


def dataset(
    name: str,
    variable: Annotated[str, typer.Option(help="Draw what was bought of this TABLE.VARIABLE.")] = "",
    json: AsJson = False,
) -> None:
    """Variables, types, bounds, code lists, and what was bought of them; how fresh the data are and how they are used."""
    enclave = api()
    card, known = enclave.describe(name), enclave.known(name)
    if variable:
        _drawn(_bought(known, variable), json)
        return
    if json:
        as_json({**card.model_dump(mode="json"), "known": known.model_dump(mode="json")})
        return
    bought = {(s.table, s.variable): s for s in known.summaries}
    for one in card.tables:
        _show(card, one, bought)
    tell(say("client.facets"))
    for sentence in told.lines(known, preferred_language()):
        tell(sentence)
    if bought:
        tell(say("known.more", dataset=name))


def _show(card: DatasetCard, one: TableCard, bought: Summaries) -> None:
    title = f"{card.name} v{card.version} · {one.name}" + (f" · joins {'; '.join(one.joins)}" if one.joins else "")
    known = any(name == one.name for name, _ in bought)
    columns = ("missing", "shape", "summary") if known else ("codes", "null")
    rows = [_row(one, v, bought.get((one.name, v.name))) for v in one.variables]
    table(title, ("variable", "kind", "bounds", *columns, "title"), rows)


def _row(one: TableCard, v: VariableCard, summary: SummaryCard | None) -> dict[str, str]:
    row = {
        "variable": v.name + (" ◆" if v.name in one.facets else ""),
        "kind": v.kind,
        "bounds": "" if v.lower is None else f"{v.lower:g} … {v.upper:g}",
        "codes": _codes(v),
        "null": "may be" if v.nullable else "",
        "summary": _codes(v),
        "title": titled(v.title, v.title_zh),
    }
    if summary is not None:
        short = told.in_short(summary, preferred_language())
        row |= {"missing": told.missing(summary), "shape": told.spark(summary), "summary": short}
    return row


def _codes(variable: VariableCard) -> str:
    if variable.per_person:
        return say("client.unlisted", limit=variable.per_person)
    codes = variable.codes or ()
    return ", ".join(codes[:8]) + (" …" if len(codes) > 8 else "")


def _bought(known: KnownCard, variable: str) -> SummaryCard:
    for one in known.summaries:
        if f"{one.table}.{one.variable}" == variable:
            return one
    raise refused("known.no_summary", variable=variable)


def _drawn(card: SummaryCard, json: bool) -> None:
    if json:
        as_json(card.model_dump(mode="json"))
        return
    bars(
        f"{card.table}.{card.variable}",
        [(one.label, one.persons.value, one.persons.low, one.persons.high) for one in card.bins],
    )
    for sentence in told.sentences(card, preferred_language()):
        tell(sentence)


def add_to(app: typer.Typer) -> None:
    """The verb of this subject."""
    app.command()(dataset)
