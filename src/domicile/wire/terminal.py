"""How does the terminal show things? Tables for people, one JSON value for programs (`--json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


def console() -> Console:
    """Where people read; wide enough for a table when nobody watches."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=140, soft_wrap=True)


def tell(words: str) -> None:
    """One line of words."""
    console().print(escape(words))


def as_json(value: Any) -> None:
    """One JSON value on one line."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows under named columns."""
    shown = Table(*[c.replace("_", " ") for c in columns], title=title, title_justify="left", title_style="bold")
    for row in rows:
        shown.add_row(*[escape(str(row.get(c, "") if row.get(c) is not None else "")) for c in columns])
    console().print(shown)
