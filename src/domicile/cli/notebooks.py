"""Writing notebooks at home, on what they will find behind the wall."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domicile.cli.asking import api
from domicile.client.choice import chosen
from domicile.wire.terminal import tell
from domicile.wire.words import say


def lab(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(help="Where the notebooks are.")] = Path(),
    build: Annotated[bool, typer.Option("--build", help="Make the environment and stop.")] = False,
    dataset: Annotated[str | None, typer.Option(help="Whose twin a first notebook opens.")] = None,
) -> None:
    """Start JupyterLab here, on the packages that notebooks find behind the wall; words after `--` are JupyterLab's own."""
    from domicile.lab.locked import built
    from domicile.lab.start import check_installed, start, write_first

    if not build:
        check_installed()
    enclave = api()
    card = enclave.environment()
    locked = built(card, on_build=lambda: tell(say("client.building_lab")))
    tell(say("client.lab_ready", digest=card.digest[:12], python=str(locked.python)))
    if build:
        return
    _, dataset = chosen(enclave, None, dataset)
    if first := write_first(folder, dataset):
        tell(say("client.first_notebook", path=first, dataset=dataset))
    start(locked, folder.absolute(), context.args)


def add_to(app: typer.Typer) -> None:
    """The verbs of this subject."""
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(lab)
