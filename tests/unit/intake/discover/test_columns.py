"""A column that the policy keeps and that holds identifiers stops the intake, by name and kind, never with a value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import Refused
from enclave.intake.planned import plan

Edit = Callable[[dict[str, Any]], object]


def _rows(column: str, value: Callable[[int], str]) -> clinic.Rows:
    raw: clinic.Rows = {"patients": [clinic.patient(n) for n in range(150)], "visits": [], "diagnoses": []}
    raw["visits"] = [clinic.visit(n, n, **{column: value(n)}) for n in range(150)]
    raw["diagnoses"] = [clinic.diagnosis(n, n, n) for n in range(150)]
    return raw


def _phone(n: int) -> str:
    return f"138{n:08d}"


def _field(table: str, name: str, **changes: Any) -> Edit:
    return lambda tree: clinic.field(tree, table, name).update(changes)


def test_a_kept_column_of_phones_stops_it(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        clinic.built(tmp_path, _rows("dept", _phone))
    assert refused.value.code == "intake.identifiers_kept" and refused.value.place == "visits.dept"
    assert refused.value.facts == {"columns": "visits.dept (phone)", "count": 1}
    assert "1380" not in str(refused.value) + refused.value.words("zh")
    assert not (tmp_path / "draft" / "manifest.json").exists()


def test_control_the_same_column_of_codes_does_not(tmp_path: Path) -> None:
    assert clinic.built(tmp_path, _rows("dept", lambda n: "CARD")).rows["visits"] == 150


def test_a_column_that_keeps_listed_beginnings_does_not(tmp_path: Path) -> None:
    def only_listed(tree: dict[str, Any]) -> None:
        main_dx = clinic.field(tree, "visits", "main_dx")
        main_dx["yields"] = [kept for kept in main_dx["yields"] if kept["name"] != "dx_code"]
        del clinic.resource(tree, "visits")["keys"]

    assert clinic.built(tmp_path, _rows("main_dx", _phone), clinic.parsed(only_listed)).rows["visits"] == 150


def test_what_the_signed_text_settles_goes_through_and_is_reported(tmp_path: Path) -> None:
    d = clinic.parsed(_field("visits", "dept", settled="numbers of rooms, by accident of this form"))
    made = clinic.built(tmp_path, _rows("dept", _phone), d)
    (check,) = [c for c in made.report.checks if c.column == "dept" and c.category == "identifier"]
    assert check.code == "holds_phone" and not check.stops and "numbers of rooms" in check.words("en")


def test_a_number_is_judged_only_where_its_bounds_let_an_identifier_through(tmp_path: Path) -> None:
    assert clinic.built(tmp_path / "a", _rows("fee", _phone)).rows["visits"] == 150  # held below 1000
    wide = clinic.parsed(
        lambda tree: clinic.field(tree, "visits", "fee")["yields"][0].update(upper=20_000_000_000, scale=1)
    )
    with pytest.raises(Refused, match=r"visits\.fee"):
        clinic.built(tmp_path / "b", _rows("fee", _phone), wide)


def test_a_rehearsal_lists_it_beside_the_report(tmp_path: Path) -> None:
    source = clinic.write_csv(tmp_path / "source", _rows("dept", _phone))
    planned = plan(clinic.parsed(), source, tmp_path, pseudonym_key=clinic.KEY)
    assert [r.code for r in planned.refusals] == ["intake.identifiers_kept"]
    assert planned.report and [c.column for c in planned.report.stops] == ["dept"]
