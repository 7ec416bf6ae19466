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
