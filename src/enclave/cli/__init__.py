"""The terminal door of the institution: it translates, it decides nothing.

One module per subject; every verb acts as the member of `ENCLAVE_TOKEN`. Each kind of error has its exit code
(`enclave.errors`), and its words are all that is shown.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from domicile.wire.terminal import tell_refusal
from domicile.wire.words import preferred_language
from enclave.cli.door import Door, home_from
from enclave.errors import EnclaveError

SUBJECTS = {
    "house": ("init", "up", "down", "status", "serve", "worker", "broker"),
    "people": ("people",),
    "data": ("policy", "draft", "intake", "datasets", "twin", "retire", "destroy"),
    "choices": ("optout", "consent"),
    "profile": ("profile",),
    "report": ("report",),
    "value": ("value",),
    "matters": ("requests", "approve", "refuse", "revoke", "return", "pass"),
    "reading": ("reviews", "review", "outputs"),
    "budget": ("budget",),
    "watch": ("audit", "incidents", "selfcheck"),
}
"""Module → its verbs, in the order help lists them."""

_MODULE_OF = {verb: module for module, verbs in SUBJECTS.items() for verb in verbs}


class BySubject(TyperGroup):
    """Verbs whose module is loaded when one of them is asked for: to list people needs no engine."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_MODULE_OF)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = _MODULE_OF.get(cmd_name)
        if module is None:
            return None
        part = typer.Typer()
        import_module(f"enclave.cli.{module}").add_to(part)
        part.callback()(lambda: None)  # a group even where the subject has one verb
        return get_group(part).get_command(ctx, cmd_name)


app = typer.Typer(
    name="enclave",
    cls=BySubject,
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


def main() -> None:
    """Run one command; an error ends it with its words and its code."""
    try:
        app()
    except EnclaveError as refusal:
        words = refusal.words(preferred_language())
        place = f" ({refusal.place})" if refusal.place else ""
        tell_refusal(f"{words}{place}")
        sys.exit(refusal.exit_code)
