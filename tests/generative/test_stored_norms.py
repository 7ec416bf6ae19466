"""For any persons at all, the stored norms are what Python's exact integers say."""

from __future__ import annotations

import math
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.oracle import clinic

STEP = 256
Visit = tuple[int, str, str, str, str]
"""Person, department, code, days, fee: the raw words."""

DEPTS = ("CARD", "NEUR", "ENDO", "ORTH", "")
CODES = ("E11.9", "I10", "Z99", "")
VISIT = st.tuples(
    st.integers(1, 6), st.sampled_from(DEPTS), st.sampled_from(CODES), st.sampled_from(("", "0", "7", "99", "-4")),
    st.sampled_from(("", "0.01", "-10.00", "999.99", "5000")),
)  # fmt: skip


def ceil_root(n: int) -> int:
    return math.isqrt(n - 1) + 1 if n else 0


def clamped(text: str, lower: int, upper: int, scale: int) -> int:
    return max(lower, min(upper, round(float(text) * scale))) if text else 0


def expected(visits: list[Visit], facet: int) -> dict[int, Counter[str]]:
    """Person → rows by cell, as they rest: unlisted departments are NULL, unlisted codes are OTHER."""
    cells: dict[int, Counter[str]] = defaultdict(Counter)
    for visit in visits:
        raw = str(visit[facet])
        known = {"CARD", "NEUR", "ENDO"} if facet == 1 else {"E11", "I10"}
        word = raw[:3] if facet == 2 else raw
        cells[visit[0]][word if word in known or not word else ("" if facet == 1 else "OTHER")] += 1
    return cells


def check(stored: list[clinic.Row], visits: list[Visit], persons: dict[int, int]) -> None:
    for facet, column in ((1, "dept"), (2, "dx_category")):
        firsts: Counter[tuple[int, object]] = Counter()
        cells = expected(visits, facet)
        for row in stored:
            n = persons[row["patient_id"]]
            assert row[f"norm_{column}"] == ceil_root(STEP**2 * sum(c * c for c in cells[n].values()))
            assert row[f"distinct_{column}"] == ceil_root(STEP**2 * len(cells[n]))
            firsts[n, row[column]] += row[f"first_{column}"]
        assert all(count == 1 for count in firsts.values())
        assert len(firsts) == sum(len(c) for c in cells.values())
    for row in stored:
        mine = [v for v in visits if v[0] == persons[row["patient_id"]]]
        assert row["unit_rows"] == STEP * len(mine)
        assert row["total_los_days"] == max(1, STEP * sum(abs(clamped(v[3], 0, 60, 1)) for v in mine))
        assert row["total_fee"] == max(1, STEP * sum(abs(clamped(v[4], -1000, 100_000, 100)) for v in mine))


def _sparse(tree: dict[str, Any]) -> None:
    """Any column may hold nothing: what the norms are is asked here, not whether the export is whole."""
    for field in clinic.resource(tree, "visits")["schema"]["fields"]:
        field["may_be_empty"] = True


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VISIT, min_size=1, max_size=60))
def test_stored_norms_are_exact_for_any_persons_with_nulls_and_unlisted_values(
    visits: list[Visit],
) -> None:
    raw: clinic.Rows = {
        "patients": [clinic.patient(n) for n in range(1, 7)],
        "visits": [
            clinic.visit(k, n, dept=dept, ward="", main_dx=dx, los_days=los, fee=fee)
            for k, (n, dept, dx, los, fee) in enumerate(visits)
        ],
        "diagnoses": [],
    }
    persons = {clinic.pseudonym("person", f"P{n}"): n for n in range(1, 7)}
    with tempfile.TemporaryDirectory() as folder:
        check(clinic.stored(clinic.built(Path(folder), raw, clinic.parsed(_sparse)), "visits"), visits, persons)
