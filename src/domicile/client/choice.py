"""Which project pays, and which dataset is asked, when nobody said both?

What is named counts (an option, the notebook's own metadata, `DOMICILE_PROJECT` and `DOMICILE_DATASET`); if it fits one
granted project, that is the one. Where several fit, they are listed and nothing is guessed.
"""

from __future__ import annotations

import os
from datetime import date
from typing import Any

from domicile.client.api import Api
from domicile.client.problem import refusal
from domicile.client.session import PROJECT


def projects(api: Api) -> list[dict[str, Any]]:
    """The granted requests whose end has not come, as the enclave shows them."""
    today = date.today().isoformat()
    return [r for r in api.requests() if r.get("project") and str(r["ends_on"]) >= today]


def chosen(api: Api, project: str | None = None, dataset: str | None = None) -> tuple[str, str]:
    """(project, dataset); ProblemError naming what there is when it is not one."""
    project, dataset = project or os.environ.get(PROJECT), dataset or os.environ.get("DOMICILE_DATASET")
    if project and dataset:
        return project, dataset
    there = {(str(r["project"]), str(r["dataset"])) for r in projects(api)}
    fitting = {(p, d) for p, d in there if project in (None, "", p) and dataset in (None, "", d)}
    if len(fitting) != 1:
        raise refusal("which_project", known=", ".join(f"{p} ({d})" for p, d in sorted(there)) or "–")
    return fitting.pop()
