"""The persons of `soundness.md` U1: each breaks one wrong use of a stored norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.oracle.extracts import DEPTS, Row, Rows

PLAIN: Row = {
    "patient_id": 0,
    "dept": "A",
    "ward": "A1",
    "dx": "I10",
    "los_days": 7,
    "change": 1,
    "fee": 100,
    "admitted_on": None,
    "score": 0,
    "urgent": True,
    "finding": None,
}
PATIENT: Row = {"patient_id": 0, "sex": "F", "age": 50, "smoker": False, "balance": 0}


def person(visits: Sequence[Mapping[str, object]], diagnoses: list[Row] | None = None) -> Rows:
    """One person with these visits; what is not said is plain."""
    made = [{**PLAIN, "visit_id": at, **visit} for at, visit in enumerate(visits)]
    return {"patients": [PATIENT], "visits": made, "diagnoses": diagnoses or []}


def spread(each: int = 8) -> Rows:
    """Many rows in every department: far over every clip, and √6 longer in one cell than by department."""
    return person([{"dept": d, "ward": f"{d}1", "dx": ("I10", "E11")[at % 2]} for d in DEPTS for at in range(each)])
