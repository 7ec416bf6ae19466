"""What does the executed notebook look like that leaves?

Rebuilt: the sources the enclave held, and in place of each declared output the vetted table, picture or text. What the
kernel wrote is not in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from typing import Any

from domicile.output.shown import html_table
from domicile.rules import Declared

_PLACEHOLDER = "declared output "


def _shown(declared: Declared, picture: bytes | None) -> dict[str, Any]:
    html = f"<b>{escape(declared.title)}</b>"
    if declared.context:
        html += f"<p>{escape(declared.context)}</p>"
    html += html_table(declared.table, 100) if declared.table is not None else f"<pre>{escape(declared.text)}</pre>"
    data = {"text/plain": declared.title, "text/html": html}
    if picture is not None:
        data["image/png"] = base64.b64encode(picture).decode()
        data.pop("text/html")
    return {"output_type": "display_data", "metadata": {}, "data": data}


def _ordinal(output: Any) -> int | None:
    """The number in a placeholder of `run`; None for anything else."""
    text = output.get("data", {}).get("text/plain", "") if isinstance(output, dict) else ""
    number = text.removeprefix(_PLACEHOLDER) if isinstance(text, str) and text.startswith(_PLACEHOLDER) else ""
    return int(number) if number.isdecimal() else None


def rebuilt(executed: bytes, released: Mapping[int, tuple[Declared, bytes | None]]) -> bytes:
    """The notebook `executed` (sources and placeholders) with what was released in its places."""
    notebook = json.loads(executed)
    for cell in notebook["cells"]:
        if cell.get("cell_type") != "code":
            continue
        numbers = [_ordinal(output) for output in cell.get("outputs", [])]
        cell["outputs"] = [_shown(*released[n]) for n in numbers if n is not None and n in released]
        cell["execution_count"] = None
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode()
