"""What the report says of the risk, when no extract is made, and what would be enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.extract import build
from enclave.intake.package import Descriptor
from enclave.intake.planned import plan
from enclave.intake.report import Report, Section, Stopped, from_json, to_json
from enclave.intake.report_page import page

SET: dict[str, Any] = {"name": "street", "table": "patients", "columns": ["sex", "province"], "k": 3}


def _parsed(*sets: dict[str, Any], **risk: Any) -> Descriptor:
    asked = {"opening": "enclave", "most": "1", "prevalence": "0", "sets": list(sets), **risk}
    return descriptor.parse(clinic.text(lambda tree: tree.update(risk=asked)))


def _people(folder: Path, *, lone: int = 1) -> Path:
    """Twelve of one sex and province, twelve of the other sex, and `lone` from elsewhere."""
    raw = clinic.rows()
    raw["patients"] = [clinic.patient(n, sex="1" if n % 2 else "2") for n in range(1, 25)]
    raw["patients"] += [clinic.patient(100 + n, sex="1", region_code="110101") for n in range(lone)]
    raw["visits"] = [clinic.visit(n, n) for n in range(1, 25)]
    raw["diagnoses"] = [clinic.diagnosis(n, n, n, dx="E11.900" if n < 5 else "I10") for n in range(1, 25)]
    return clinic.write_csv(folder / "source", raw)


def _built(d: Descriptor, folder: Path, **people: int) -> Report:
    draft = folder / "draft"
    draft.mkdir()
    return build(d, _people(folder, **people), draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY).report


def _risk(report: Report) -> Section:
    section = report.section("risk")
    assert section is not None
    return section


def test_the_figures_are_those_of_the_rows(tmp_path: Path) -> None:
    risk = _risk(_built(_parsed(SET | {"at_fault": 100}, small_places={"province": 5}), tmp_path))
    figures, number = risk.lines
    assert (figures.code, number.code) == ("risk_classes", "risk_number")
    facts = ("persons", "classes", "k", "unique", "small")
    assert [figures.facts[name] for name in facts] == [25, 3, 1, 1, 1]
    assert (number.facts["risk"], number.facts["attempt"]) == ("1.0000", "0.140")
    assert [(c.code, c.of, c.failed, c.stops) for c in risk.checks] == [
        ("risk_at_fault", 25, 1, False), ("risk_above", 25, 0, False), ("risk_small_places", 2, 1, False),
    ]  # fmt: skip
    assert risk.pictures[0].bars == (("1", 1), ("2–4", 0), ("5–9", 0), ("10–19", 24), ("20–99", 0), ("100+", 0))


def test_above_the_policys_risk_no_extract_is_made_and_what_would_be_enough_is_said(tmp_path: Path) -> None:
    with pytest.raises(Stopped) as stopped:
        _built(_parsed(SET), tmp_path)
    assert (stopped.value.facts["check"], stopped.value.place) == ("risk_at_fault", "patients")
    remedy = _risk(stopped.value.report).lines[-1]
    assert (remedy.code, remedy.facts["changes"]) == ("risk_remedy", "province: drop")
    assert not (tmp_path / "draft" / "extract.duckdb").exists() or not list((tmp_path / "draft").glob("*.json"))
    for lang in ("en", "zh"):
        assert "province: drop" in page(stopped.value.report, lang) and "<figure>" in page(stopped.value.report, lang)
    report = stopped.value.report
    assert from_json(to_json(report)) == report


def test_a_risk_number_above_the_allowed_one_stops_too(tmp_path: Path) -> None:
    allowed = _parsed(SET | {"at_fault": 100}, most="0.0116")
    with pytest.raises(Stopped) as stopped:
        _built(allowed, tmp_path, lone=0)
    assert stopped.value.facts["check"] == "risk_above", "2 classes of 24 persons: 2/24 * 0.14 = 0.0117"
    (tmp_path / "again").mkdir()
    assert not _built(_parsed(SET | {"at_fault": 100}, most="0.0117"), tmp_path / "again", lone=0).stops


def test_a_rehearsal_says_the_same_as_the_build(tmp_path: Path) -> None:
    asked = SET | {"at_fault": 100, "sensitive": ["diabetes"], "l": 2}
    d = _parsed(asked, {"name": "stay", "table": "visits", "columns": ["dept", "ward"], "at_fault": 100})
    rehearsed = plan(d, _people(tmp_path / "other"), tmp_path, pseudonym_key=b"k" * 32)
    assert rehearsed.refusals == () and rehearsed.report is not None
    assert _risk(rehearsed.report) == _risk(_built(d, tmp_path))
    stopped = plan(_parsed(SET), _people(tmp_path / "third"), tmp_path, pseudonym_key=b"k" * 32).refusals
    assert [r.facts["check"] for r in stopped] == ["risk_at_fault"]


def test_where_a_person_has_many_rows_what_is_proposed_holds_in_the_rows(tmp_path: Path) -> None:
    """P1's visits stand in two wards: counted by class P1 counts twice, in the rows once."""
    with pytest.raises(Stopped) as stopped:
        draft = tmp_path / "draft"
        draft.mkdir()
        raw = clinic.rows()
        raw["visits"] = [clinic.visit(n, 1 + n // 2, ward="CARD-01" if n % 2 else "CARD-02") for n in range(4)]
        raw["diagnoses"] = []
        raw["diagnoses"].append(clinic.diagnosis(1, 1, 1))
        d = _parsed({"name": "stay", "table": "visits", "columns": ["ward"], "k": 3})
        source = clinic.write_csv(tmp_path / "source", raw)
        build(d, source, draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert _risk(stopped.value.report).lines[-1].code == "risk_no_remedy", "there are two persons with visits"


@pytest.mark.parametrize(
    "wrong",
    [SET | {"table": "nowhere"}, SET | {"columns": ["name"]}, SET | {"columns": ["patient_id"]}, SET | {"k": 0},
     SET | {"sensitive": ["dx"]}],
)  # fmt: skip
def test_a_set_that_names_what_is_not_stored_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        _parsed(wrong)
    with pytest.raises(BadInput):
        _parsed(SET, SET)
