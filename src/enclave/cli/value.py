"""What is a dataset worth saying of, where it is registered, priced or justified? For stewards and the regulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from domicile.wire.known import ValueCard
from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave.api.known import value_of
from enclave.bootstrap.house import open_house
from enclave.cli.door import at


def value(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.")],
    json: AsJson = False,
) -> None:
    """Scale, quality, timeliness, use and scarcity of the version on the shelf. Reading it is on record."""
    door = at(context)
    with open_house(door.settings).closing() as house:
        card = value_of(house, door.member, name)
    if json:
        as_json(card.model_dump(mode="json"))
        return
    lang = preferred_language()
    rows = [{"": say(f"known.value_{figure}", lang), "figure": said} for figure, said in _figures(card, lang)]
    table(say("known.value_title", lang, dataset=name, version=card.version), ("", "figure"), rows)
    tell(say("known.value_reading", lang))


def _figures(card: ValueCard, lang: str) -> Iterator[tuple[str, str]]:
    yield "scale", f"{card.size_class:,}"
    yield "variables", f"{card.variables} ({card.tables})"
    yield "described", f"{card.described} %"
    yield "listed", f"{card.listed} %"
    for one in card.quality:
        yield one.figure, f"{one.per_cent} %"
    yield "timeliness", say("known.value_late" if card.freshness.overdue else "known.value_intime", lang)
    yield "access", f"{card.openness or '–'}, {card.grade}"
    yield "projects", f"{card.use.projects} ({card.use.active})"
    yield "work", f"{card.use.runs}, {card.use.questions}"
    yield "released", str(card.released)
    yield "capacity", f"{card.capacity_used} %"


def add_to(app: typer.Typer) -> None:
    """The verb of this subject."""
    app.command()(value)
