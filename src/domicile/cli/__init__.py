"""The terminal door of the researcher.

login · datasets · dataset · request · requests · quote · budget · submit · runs · run · cancel · fetch · verify · lint ·
batch · lab
"""

from __future__ import annotations

import sys

import typer

from domicile.cli import asking, batch, notebooks, running, shelf
from domicile.client import ProblemError
from domicile.wire.terminal import tell_refusal

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
        tell_refusal(str(refused))
        sys.exit(3)
