"""How does a notebook do on the twin, before it is submitted?

papermill runs it here, with this machine's kernel; `domicile` asks the twin, for nothing, and the rules of the release look
at every declared output as it is declared. What the questions would cost on the real records is noted as they are asked
(`DOMICILE_REHEARSAL` names the file) and shown at the end.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from domicile.client.problem import refusal
from domicile.client.rehearsal import NOTES, Rehearsed, noted
from domicile.client.session import PROJECT
from domicile.wire.shapes import OUTPUT_MIME

Scalar = str | int | float | bool


def rehearse(notebook: Path, parameters: Mapping[str, Scalar], executed: Path, project: str) -> Rehearsed:
    """Run `notebook` on the twin, as `project` would ask, and write it, executed, to `executed`; ProblemError when its own
    code failed."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "questions.jsonl"
        said = {NOTES: str(notes), PROJECT: project}
        before = {name: os.environ.get(name) for name in said}
        os.environ.update(said)
        try:
            papermill.execute_notebook(
                str(notebook), str(executed), parameters=dict(parameters), progress_bar=False, kernel_name="python3"
            )
        except PapermillExecutionError as failed:
            raise refusal("rehearsal_failed", error=failed.ename, cell=failed.cell_index) from None
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value
        return Rehearsed(noted(notes), tuple(_titles(nbformat.read(executed, as_version=4))))


def _titles(node: Any) -> list[str]:
    found = []
    for cell in node.cells:
        for output in cell.get("outputs", []):
            bundle = output.get("data", {}).get(OUTPUT_MIME)
            if bundle is not None:
                found.append(str((json.loads(bundle) if isinstance(bundle, str) else bundle).get("title", "")))
    return found
