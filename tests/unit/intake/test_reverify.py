"""Every promise of an extract is checked on the finished file: each breach planted here is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput, Incident
from enclave.intake import repeated
from enclave.intake.reverify import reverify

BREACHES = [
    ("UPDATE visits SET norm_dept = norm_dept - 1", "norms of dept"),
    ("UPDATE visits SET norm_dept = norm_dept + 1", "norms of dept"),
    ("UPDATE visits SET norm_dept = norm_dept + 1 WHERE dept = 'NEUR'", "person totals"),
    ("UPDATE visits SET distinct_dx_category = distinct_dx_category - 1", "norms of dx_category"),
    ("UPDATE visits SET first_dept = true", "norms of dept"),
    ("UPDATE visits SET first_dept = false WHERE dept IS NULL", "norms of dept"),
    ("UPDATE visits SET unit_rows = 256", "person totals"),
    ("UPDATE visits SET total_fee = total_fee - 1", "person totals"),
    ("UPDATE visits SET los_days = 61, total_los_days = total_los_days + 256 * (61 - los_days)", None),
    ("UPDATE visits SET admit_year = 2030", "bounds"),
    ("UPDATE visits SET admitted_on = DATE '1999-01-01'", "bounds"),
    ("UPDATE diagnoses SET patient_id = 1", None),
    ("DELETE FROM patients", "join to patients"),
    ("UPDATE visits SET patients_sex = 'male'", "join to patients"),
    ("UPDATE diagnoses SET visits_los_days = NULL", "join to visits"),
    ("UPDATE visits SET first_unit = true", "person totals"),
    ("UPDATE diagnoses SET first_unit = false", "person totals"),
]


@pytest.mark.parametrize(("breach", "check"), BREACHES)
def test_a_breach_is_found(tmp_path: Path, breach: str, check: str | None) -> None:
    made = clinic.built(tmp_path, clinic.rows())
    with clinic.opened(made.path, writable=True) as con:
        reverify(con, clinic.parsed(), "extract")  # the control: as built it holds
        con.execute("USE extract.main")
        con.execute(breach)
        with pytest.raises(Incident) as found:
            reverify(con, clinic.parsed(), "extract")
    assert found.value.code == "intake.not_as_promised"
    assert check in (None, found.value.facts["check"])


@pytest.mark.parametrize("together", [1, 1 << 24])
def test_a_key_that_stands_twice_is_the_sources_to_correct(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    """Whether keys are sorted all at once or part by part."""
    monkeypatch.setattr(repeated, "_TOGETHER", together)
    made = clinic.built(tmp_path, clinic.rows())
    with clinic.opened(made.path, writable=True) as con:
        con.execute("INSERT INTO extract.main.diagnoses SELECT * FROM extract.main.diagnoses")
        with pytest.raises(BadInput) as found:
            reverify(con, clinic.parsed(), "extract")
    assert (found.value.code, found.value.facts["count"]) == ("intake.duplicate_key", 3)


def test_a_finer_column_that_is_not_finer_stops_the_build(tmp_path: Path) -> None:
    def claim(tree: dict[str, object]) -> None:
        clinic.field(tree, "visits", "ward").update(finer_than=["dept"])

    d, raw = clinic.parsed(claim), clinic.rows()
    clinic.built(tmp_path / "true", raw, d)
    raw["visits"][0]["ward"] = ""
    raw["visits"][2]["ward"] = ""  # NULL now stands in two departments
    with pytest.raises(Incident, match="ward finer than dept"):
        clinic.built(tmp_path / "false", raw, d)
