"""The terminal door of the institution: it translates, it decides nothing.

One module per subject; every verb acts as the member of `ENCLAVE_TOKEN`. Each kind of error has its exit code
(`enclave.errors`), and its words are all that is shown.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from domicile.wire.words import preferred_language
from enclave.cli import budget, choices, data, house, matters, people, profile, report, value, watch
from enclave.cli.door import Door, home_from
from enclave.errors import EnclaveError

app = typer.Typer(
    name="enclave",
    help="Run a home for health records that researchers may use but never see.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def at_home(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="The home; else ENCLAVE_HOME, else ~/.domicile/home.")] = None,
) -> None:
    context.obj = Door(home_from(home))


for part in (house, people, data, choices, profile, report, value, matters, budget, watch):
    part.add_to(app)


def main() -> None:
    """Run one command; an error ends it with its words and its code."""
    try:
        app()
    except EnclaveError as refusal:
        words = refusal.words(preferred_language())
        place = f" ({refusal.place})" if refusal.place else ""
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]✗[/red] {words}{place}", markup=True)
        sys.exit(refusal.exit_code)
