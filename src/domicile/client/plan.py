"""What does a batch file on this machine say? TOML, with its notebooks beside it, checked here before it is sent.

name = "Length of stay by age"

[[run]]
name = "all"
notebook = "stay.ipynb"
epsilon = ["0.3"]                      # of each question a run may ask: it is held to the sum

[[run]]
name = "by age"
notebook = "by_age.ipynb"
after = ["all"]
grid = {older_than = [20, 40, 60]}     # one run for each combination
epsilon = ["0.2"]
"""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domicile.client.notebook import Notebook
from domicile.client.problem import refusal, refused
from domicile.rules.parameters import Unfit
from domicile.rules.plan import Step, expand
from domicile.wire.shapes import BatchForm

_ENTRY = "run"
_KEYS = {"name", "project", "dataset", "schedule", _ENTRY}


def read(path: Path, project: str, dataset: str) -> tuple[BatchForm, tuple[Step, ...]]:
    """The plan in a file, and its runs; ProblemError where it is none, before anything leaves this machine."""
    said = _said(path)
    if strange := sorted(set(said) - _KEYS):
        raise refusal("plan_malformed", place=strange[0][:60])
    entries = said.pop(_ENTRY, [])
    notebooks = {name: Notebook.read(path.parent / name) for name in _named(entries)}
    texts = {name: one.text for name, one in notebooks.items()}
    body = {**said, "project": project, "dataset": dataset, "notebooks": texts, "runs": entries}
    try:
        form = BatchForm.model_validate_json(json.dumps(body, default=_day))
    except (ValidationError, TypeError) as broken:
        raise refusal("plan_malformed", place=_place(broken)) from broken
    try:
        return form, expand(form, {name: one.schema for name, one in notebooks.items()})
    except Unfit as unfit:
        raise refused(unfit.code, place=unfit.place, **unfit.facts) from unfit


def chosen_in(path: Path) -> tuple[str | None, str | None]:
    """The project and dataset a file names, if any."""
    said = _said(path)
    project, dataset = (str(said[name]) if name in said else None for name in ("project", "dataset"))
    return project, dataset


def _said(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as broken:
        raise refusal("plan_unreadable", place=str(path)) from broken


def _named(entries: object) -> list[str]:
    found = [e.get("notebook") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return sorted({name for name in found if isinstance(name, str)})


def _day(value: object) -> str:
    if type(value) is date:
        return value.isoformat()
    raise TypeError("a batch file holds texts, numbers, truth values and days")


def _place(broken: Exception) -> str | None:
    """Where in the file, without what stands there."""
    if not isinstance(broken, ValidationError):
        return None
    return ".".join(str(part) for part in broken.errors(include_input=False)[0]["loc"])[:200]
