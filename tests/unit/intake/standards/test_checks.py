"""Which rows of a front page are at fault, by which check: each row below breaks one rule, and is found by its number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.oracle import front_page
from tests.oracle.front_page import CHILD, MAN, STAY, WOMAN

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.extract import build
from enclave.intake.planned import Plan, plan
from enclave.intake.report import Check, Report, Stopped

PEOPLE: list[tuple[dict[str, str], set[str]]] = [
    (MAN, set()),
    (WOMAN, set()),
    (CHILD, {"missing id_no"}),
    ({**WOMAN, "patient_id": "a", "id_no": "110105491231002"}, set()),  # the old form
    ({**MAN, "patient_id": "b", "id_no": "440524188001010015"}, {"not_in_system id_no"}),  # the check character
    ({**WOMAN, "patient_id": "c", "id_no": "11010519490231002X"}, {"not_in_system id_no"}),  # no such day
    ({**WOMAN, "patient_id": "d", "born": "1949-12-30"}, {"id_against_birth id_no"}),
    ({**WOMAN, "patient_id": "e", "sex": "1"}, {"id_against_sex id_no"}),
    ({**WOMAN, "patient_id": "f", "sex": "9"}, set()),  # not stated: contradicts nothing
    ({**WOMAN, "patient_id": "g", "sex": "F"}, {"not_in_system sex"}),
]
STAYS: list[tuple[dict[str, str], set[str]]] = [
    ({}, set()),
    ({"left": "2024-02-28 10:00:00"}, {"discharge_before_admission left", "operation_outside_stay op_at"}),
    ({"days": "5"}, {"stay_is_not_the_days days"}),
    ({"left": "2024-03-01 20:00:00", "days": "1", "op_at": ""}, set()),
    ({"left": "2024-03-01 20:00:00", "days": "0", "op_at": ""}, set()),
    ({"days": "500", "left": ""}, {"implausible days"}),
    ({"total": "30.52"}, {"fee_is_not_the_sum total"}),
    ({"total": "30.51"}, set()),  # a cent is rounding
    ({"total": "10.00", "drugs": ""}, set()),
    ({"dx": "C61.x00"}, {"diagnosis_of_men dx"}),
    ({"dx": "O80.900"}, set()),
    ({"dx": "I10.x00x002"}, set()),
    ({"dx": "I10.xx"}, {"not_in_system dx"}),
    ({"op": "6.6"}, {"not_in_system op"}),
    ({"op_at": "2024-03-06 08:00:00"}, {"operation_outside_stay op_at"}),
    ({"age": "75"}, {"age_is_not_from_birth age"}),
    ({"way": "5"}, {"death_without_autopsy autopsy"}),
    ({"way": "5", "autopsy": "2"}, set()),
    ({"way": "7"}, {"not_in_system way"}),
    ({"deposit": "-1"}, {"rule_fails deposit"}),
    ({"patient_id": "M", "age": "144", "dx": "O80.900"}, {"diagnosis_of_women dx"}),
    ({"patient_id": "M", "age": "144", "dx": "C61.x00"}, set()),
    ({"patient_id": "C", "age": "0"}, {"newborn_without_weight weight"}),
    ({"patient_id": "C", "age": "0", "weight": "3200"}, set()),
    (
        {"patient_id": "C", "age": "0", "came": "2024-02-01 09:00:00", "left": "2024-02-05 09:00:00", "op_at": ""},
        {"admission_before_birth came"},
    ),
]
HOLES = {"missing"}  # counted in every mapped column: not what these rows are about


def _plan(folder: Path, **changes: Any) -> Plan:
    people, stays = [row for row, _ in PEOPLE], [STAY | change for change, _ in STAYS]
    source = front_page.write(folder / "source", people, stays)
    return plan(front_page.parsed(**changes), source, folder, pseudonym_key=b"k" * 32)


def _report(found: Plan) -> Report:
    assert found.report is not None
    return found.report


def _standards(report: Report) -> tuple[Check, ...]:
    section = report.section("standards")
    assert section is not None
    return section.checks


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    found = _plan(tmp_path_factory.mktemp("front"))
    assert found.refusals == ()
    return _report(found)


@pytest.mark.parametrize(("table", "rows"), [("people", PEOPLE), ("stays", STAYS)])
def test_each_row_fails_the_checks_it_breaks_and_no_other(
    report: Report, table: str, rows: list[tuple[dict[str, str], set[str]]]
) -> None:
    expected = {n: broken for n, (_, broken) in enumerate(rows, 2)}  # the header is line 1
    found: dict[int, set[str]] = {n: set() for n in expected}
    for check in _standards(report):
        if check.table == table and (check.code not in HOLES or check.column == "id_no"):
            assert len(check.rows) == check.failed <= check.of == len(rows)
            for row in check.rows:
                found[row].add(f"{check.code} {check.column}")
    assert found == expected


def test_the_score_counts_every_row_and_check(report: Report) -> None:
    checks = [c for c in _standards(report) if c.table == "people"]
    of, failed = sum(c.of for c in checks), sum(c.failed for c in checks)
    assert report.score("people") == 1000 * (of - failed) // of
    assert failed == 6


@pytest.mark.parametrize(
    ("quality", "check"),
    [
        ({"score": 99}, "below_score"),
        ({"score": 10}, None),
        ({"no_person": 0}, None),  # everybody is named here
    ],
)
def test_below_the_stated_score_no_extract_is_made(tmp_path: Path, quality: dict[str, int], check: str | None) -> None:
    found = _plan(tmp_path, quality=quality)
    stopped = [r for r in found.refusals if isinstance(r, Stopped)]
    assert [r.facts["check"] for r in stopped] == ([check] if check else [])


def test_a_stated_check_stops_beyond_its_own_share(tmp_path: Path) -> None:
    stays = [STAY | {"bed": "" if n < 6 else "10.00", "total": ""} for n in range(10)]
    source = front_page.write(tmp_path / "source", [WOMAN], stays)
    (stopped,) = plan(front_page.parsed(), source, tmp_path, pseudonym_key=b"k" * 32).refusals
    assert (stopped.facts["check"], stopped.place) == ("rule_fails", "stays.bed row 2")


def test_a_person_key_missing_in_half_the_rows_is_named_and_located(tmp_path: Path) -> None:
    stays = [STAY | {"patient_id": "" if n % 2 else "W"} for n in range(10)]
    source = front_page.write(tmp_path / "source", [WOMAN], stays)
    draft = tmp_path / "draft"
    draft.mkdir()
    with pytest.raises(Stopped) as stopped:
        build(front_page.parsed(), source, draft, pseudonym_key=b"k" * 32, file_key="5e" * 32)
    assert (stopped.value.facts["check"], stopped.value.place) == ("person_missing", "stays.patient_id")
    assert "10 %" in stopped.value.words() and "10 %" in stopped.value.words("zh")


def test_a_column_without_one_value_is_named_unless_the_text_allows_it(tmp_path: Path) -> None:
    people = [{**WOMAN, "patient_id": f"w{n}", "id_no": "", "sex": ""} for n in range(25)]
    stays = [STAY | {"patient_id": f"w{n}"} for n in range(25)]
    source = front_page.write(tmp_path / "source", people, stays)
    (stopped,) = plan(front_page.parsed(), source, tmp_path, pseudonym_key=b"k" * 32).refusals
    assert (stopped.facts["check"], stopped.place) == ("empty_column", "people.sex")
    text = front_page.TEXT.replace("element: DE02.01.040.00,", "element: DE02.01.040.00, may_be_empty: true,")
    assert plan(descriptor.parse(text.encode()), source, tmp_path, pseudonym_key=b"k" * 32).refusals == ()


def test_an_element_code_or_system_that_cannot_be_is_refused() -> None:
    for old, new in (("P13", "P"), ("DE02.01.040.00", "DE2.1"), ("system: gbt2261_1", "system: gb9999")):
        with pytest.raises(BadInput):
            descriptor.parse(front_page.TEXT.replace(old, new).encode())
