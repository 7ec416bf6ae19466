"""How does a declared output look where it was declared, and how does it travel?

In a kernel the bundle is displayed, because displayed data is what leaves the wall; nothing is returned then, or the last
line of a cell would declare it twice. Elsewhere the output itself is returned.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from typing import Any

import pyarrow as pa

from domicile.wire.shapes import OUTPUT_MIME, Finding
from domicile.wire.words import preferred_language

_SHOWN_ROWS = 20


@dataclass(frozen=True)
class Output:
    """A declared output: the bundle that travels, and what a person will have to look at."""

    bundle: dict[str, Any]
    table: pa.Table | None
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        size = "" if self.table is None else f", {self.table.num_rows} rows × {self.table.num_columns} columns"
        return f"<{self.bundle['kind']} “{self.bundle['title']}” declared for release{size}>"

    def _repr_html_(self) -> str:
        zh = preferred_language() == "zh"
        notes = "".join(
            f"<li>{escape(f.words_zh if zh else f.words)} <small>{escape(f.place)}</small></li>" for f in self.findings
        )
        body = f"<pre>{escape(self.bundle.get('text', ''))}</pre>" if self.table is None else html_table(self.table)
        head = f"<b>{escape(self.bundle['title'])}</b> <small>{escape(self.bundle['kind'])}</small>"
        return f"<div>{head}{body}{f'<ul>{notes}</ul>' if notes else ''}</div>"

    def mime(self) -> dict[str, Any]:
        """What is displayed: the bundle, and how it looks."""
        return {OUTPUT_MIME: self.bundle, "text/plain": repr(self), "text/html": self._repr_html_()}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return escape(f"{value:,.6g}" if isinstance(value, float) else str(value))


def html_table(table: pa.Table, rows: int = _SHOWN_ROWS) -> str:
    """The first rows of `table`, escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in table.column_names)
    lines = zip(*(column.to_pylist() for column in table.slice(0, rows).columns), strict=True)
    body = "".join("<tr>" + "".join(f"<td>{_cell(v)}</td>" for v in line) + "</tr>" for line in lines)
    more = f"<caption>{table.num_rows - rows} more rows</caption>" if table.num_rows > rows else ""
    return f"<table>{more}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def in_kernel() -> bool:
    """True inside a running IPython kernel or shell. IPython is never imported for this: it is there already, or not."""
    shell = sys.modules.get("IPython")
    return shell is not None and shell.get_ipython() is not None


def shown(output: Output) -> Output | None:
    """Display in a kernel, else hand back."""
    if not in_kernel():
        return output
    sys.modules["IPython"].display.display(output.mime(), raw=True)
    return None
