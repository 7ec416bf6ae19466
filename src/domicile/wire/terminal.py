"""How does the terminal show things? Tables for people, one JSON value for programs (`--json`).

Much of it was written by others, titles of outputs by what runs behind the wall: a control character moves the cursor over
what stands above, so none is passed on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domicile.wire.hidden import hides, spelled

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]


def console() -> Console:
    """Where people read; wide enough for a table when nobody watches."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=140, soft_wrap=True)


def tell(words: str) -> None:
    """One line of words."""
    console().print(escape(spelled(words)))


def tell_refusal(words: str) -> None:
    """Why a command ended, where errors go."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]✗[/red] {escape(spelled(words))}")


def as_json(value: Any) -> None:
    """One JSON value on one line."""
    said = json.dumps(value, ensure_ascii=False, default=str)
    typer.echo("".join(json.dumps(c)[1:-1] if hides(c) else c for c in said) if hides(said) else said)


def table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows under named columns."""
    shown = Table(*[c.replace("_", " ") for c in columns], title=title, title_justify="left", title_style="bold")
    for row in rows:
        shown.add_row(*[_cell(row.get(c)) for c in columns])
    console().print(shown)


def _cell(value: Any) -> str:
    """A cell on one line: a second would pass for a row."""
    return "" if value is None else escape(spelled(str(value), ""))


def bars(title: str, rows: Sequence[tuple[str, float, float, float]], width: int = 40) -> None:
    """(label, value, low, high) as bars with the interval drawn over each: ███▌┄┄┤."""
    top = max((high for _, _, _, high in rows), default=0.0) or 1.0
    shown = [
        {
            "": label,
            " ": _bar(value, high, width / top),
            "value": f"{value:,.0f}",
            "interval": f"{low:,.0f} … {high:,.0f}",
        }
        for label, value, low, high in rows
    ]
    table(title, ("", " ", "value", "interval"), shown)


def _bar(value: float, high: float, scale: float) -> str:
    full, most = int(value * scale), int(high * scale)
    half = "▌" if value * scale - full >= 0.5 else ""
    whisker = "┄" * max(most - full - len(half) - 1, 0) + "┤" if most > full + len(half) else ""
    return "█" * full + half + whisker
