"""Domicile, the researcher's side: ask private questions, declare outputs.

import domicile
hospital = domicile.open("hospital")
los = hospital.sql("SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept", epsilon=0.3)
domicile.output.chart(los, mark="bar", x="dept", y="los", title="Length of stay", context="…")

What is named here is loaded when it is first used: the institution's side leans on `domicile.wire` and `domicile.rules`
alone, and every process of it would otherwise wait for the researcher's frames and network.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domicile import output
    from domicile.client.dataset import open_dataset as open  # noqa: A004 - `domicile.open` is the word people type
    from domicile.client.problem import ProblemError
    from domicile.client.session import login
    from domicile.models import Crosstab, LinearRegression, Survival
    from domicile.verified import Report, verify

__all__ = [
    "Crosstab",
    "LinearRegression",
    "ProblemError",
    "Report",
    "Survival",
    "login",
    "open",
    "output",
    "verify",
]

_ROOM_OF = {
    "Crosstab": "domicile.models",
    "LinearRegression": "domicile.models",
    "ProblemError": "domicile.client.problem",
    "Report": "domicile.verified",
    "Survival": "domicile.models",
    "login": "domicile.client.session",
    "open": "domicile.client.dataset",
    "output": "domicile.output",
    "verify": "domicile.verified",
}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = import_module(_ROOM_OF[name])
    found = room if name == "output" else getattr(room, "open_dataset" if name == "open" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
