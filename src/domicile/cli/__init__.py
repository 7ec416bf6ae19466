"""The terminal door of the researcher.

login · datasets · dataset · request · requests · quote · budget · submit · runs · run · cancel · fetch · verify · lint ·
batch · lab
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from domicile.cli import asking, batch, notebooks, running, shelf
from domicile.client import ProblemError

app = typer.Typer(
    name="domicile",
    help="Ask private questions of records you never see.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for part in (asking, shelf, running, batch, notebooks):
    part.add_to(app)


def main() -> None:
    """Run one command; a refusal ends it with its words."""
    try:
        app()
    except ProblemError as refused:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]✗[/red] {escape(str(refused))}")
        sys.exit(3)
