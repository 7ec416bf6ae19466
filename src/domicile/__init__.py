"""Domicile, the researcher's side: ask private questions, declare outputs.

import domicile
hospital = domicile.open("hospital")
los = hospital.sql("SELECT dept, AVG(los_days) AS los FROM visits GROUP BY dept", epsilon=0.3)
domicile.output.chart(los, mark="bar", x="dept", y="los", title="Length of stay", context="…")
"""

from domicile import output
from domicile.client.dataset import open_dataset as open  # noqa: A004 - `domicile.open` is the word people type
from domicile.client.problem import ProblemError
from domicile.client.session import login
from domicile.models import Crosstab, LinearRegression, Survival
from domicile.verify import Report, verify

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
