"""What did an intake find? For the steward who answers for the records, and the regulator."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from domicile.wire.terminal import AsJson, as_json, table, tell
from domicile.wire.words import preferred_language, say
from enclave.catalogue import read_report
from enclave.cli.door import at
from enclave.intake.report import Report, to_json
from enclave.intake.report_page import page, share, where
from enclave.store import write_atomically


def report(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The dataset.")],
    version: Annotated[
        int | None, typer.Option(help="Of this version; else of the last intake, stopped ones too.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page to this file.")] = None,
    json: AsJson = False,
) -> None:
    """Show what an intake found: scores, rows at fault by number, what was left out. Reading it is on record."""
    door = at(context)
    found = read_report(door.db, door.place, door.keyring, door.permissions, door.member, name, version)
    if html is not None:
        write_atomically(html.absolute(), page(found, preferred_language()).encode())
        tell(say("report.written", path=html))
    elif json:
        as_json(json_text.loads(to_json(found)))
    else:
        _shown(found, preferred_language())


def _shown(found: Report, lang: str) -> None:
    heads = ("table", "rows", "score")
    scored = [(t, n, found.score(t)) for t, n in found.read.items()]
    rows = [{"table": t, "rows": f"{n:,}", "score": "" if s is None else s / 10} for t, n, s in scored]
    table(say("report.title", lang, dataset=found.dataset), heads, rows)
    for section in found.sections:
        lines = [{"what": line.words(lang)} for line in section.lines]
        lines += [
            {
                "where": f"{check.table}.{check.column}".rstrip("."),
                "what": check.words(lang) + (f" ({say('report.stops', lang)})" if check.stops else ""),
                "at_fault": f"{check.failed:,} / {check.of:,}",
                "share": share(check),
                "first_rows": where(check),
            }
            for check in section.checks
            if check.failed
        ]
        title = say(f"report.section_{section.name}", lang)
        table(title, ("where", "what", "at_fault", "share", "first_rows"), lines)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.command()(report)
