"""A descriptor is read strictly: what is not understood, not bounded or not listed is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.columns import norm_names, stored_columns

HOSPITAL = Path(__file__).parents[3] / "policies" / "datasets" / "hospital" / "datapackage.yaml"
Tree = dict[str, Any]


def _put(table: str, **changes: Any) -> Callable[[Tree], object]:
    return lambda tree: clinic.resource(tree, table).update(changes)


def _field(table: str, column: str, /, **changes: Any) -> Callable[[Tree], object]:
    return lambda tree: clinic.field(tree, table, column).update(changes)


def _without(table: str, name: str, part: str) -> Callable[[Tree], object]:
    return lambda tree: clinic.field(tree, table, name).pop(part)


def _join(table: str, column: str, to: str) -> Callable[[Tree], object]:
    return _put("visits", joins=[{"column": column, "table": table, "to": to}])


def _facet(column: str) -> Callable[[Tree], object]:
    return _put("visits", facets=[{"column": column, "clip": 1, "distinct_clip": 1}])


def _edges(*edges: int) -> Callable[[Tree], object]:
    return lambda tree: clinic.field(tree, "patients", "birth_date")["yields"][1].update(edges=list(edges))


HUGE = {"values": {10**12: ["CARD"]}}


def _reference(**changes: Any) -> Callable[[Tree], object]:
    return lambda tree: tree["references"][0].update(changes)


def _told(code: str, value: str | int = "more") -> Callable[[Tree], object]:
    return lambda tree: tree["references"][0]["columns"]["division"]["values"].update({value: [code]})


REFUSED = [
    ("an unknown field", lambda t: t.update(surprise=1), "policy.unknown_field", "surprise"),
    ("an unknown field of a column", _field("visits", "dept", lists="dept"), "policy.unknown_field", "resources.1"),
    ("a missing bound", _without("visits", "los_days", "upper"), "policy.missing_field", "upper"),
    ("a missing code list", _without("visits", "dept", "list"), "policy.missing_field", "list"),
    ("a code list that is not there", _field("visits", "dept", list="depts"), "policy.incoherent", "depts"),
    ("a treatment with another's fields", _field("visits", "dept", treatment="redact"), "policy.unknown_field", "list"),
    ("a second person", _field("visits", "visit_id", domain="person"), "policy.incoherent", "second person"),
    ("no treatment", _without("patients", "name", "treatment"), "policy.malformed", "fields.1"),
    ("a treatment for another type", _field("visits", "dept", type="integer"), "policy.malformed", "takes string"),
    ("a bound below a step", _field("visits", "los_days", upper=0.5), "policy.malformed", "whole number"),
    ("bounds the wrong way round", _field("visits", "los_days", lower=61), "policy.malformed", "above"),
    ("a table twice", lambda t: t["resources"].append(t["resources"][1]), "policy.incoherent", "twice"),
    ("no key", _put("visits", key=[]), "policy.incoherent", "key"),
    ("a facet of no column", _facet("x"), "policy.incoherent", "facet"),
    ("a clip of nothing", _put("visits", row_clip=0), "policy.malformed", "row_clip"),
    ("a join to another column", _join("patients", "patient_id", "sex"), "policy.incoherent", "key"),
    ("a join to a later table", _join("diagnoses", "visit_id", "diagnosis_id"), "policy.incoherent", "before"),
    ("a join across domains", _join("patients", "visit_id", "patient_id"), "policy.incoherent", "domain"),
    ("no join to the persons", _put("visits", joins=[]), "policy.incoherent", "states no join"),
    ("free SQL as a rule", _put("visits", rules=["los_days IN (SELECT 1)"]), "policy.incoherent", "row rule"),
    ("a rule on no column", _put("visits", rules=["stay >= 0"]), "policy.incoherent", "not there"),
    ("a rule that compares text", _put("visits", rules=["dept >= ward"]), "policy.incoherent", "two dates or two numbers"),
    ("a column that yields nothing", _field("visits", "dept", yields=[]), "policy.malformed", "resources.1"),
    ("finer than no facet", _field("visits", "ward", finer_than=["ward"]), "policy.incoherent", "no facet"),
    ("a register twice", _put("visits", registers=["insured", "insured"]), "policy.incoherent", "names one twice"),
    ("the dataset's register again", _put("visits", registers=["town"]), "policy.incoherent", "the dataset's own"),
    ("a reference of no list", _reference(list="depts"), "policy.incoherent", "no code list depts"),
    ("a reference by a table's name", _reference(name="visits"), "policy.incoherent", "twice"),
    ("a reference that tells its key", _reference(key="division"), "policy.incoherent", "its key"),
    ("a reference of a code that is not listed", _told("CARDIO"), "policy.incoherent", "CARDIO is not in the list"),
    ("a reference that tells a code twice", _told("NEUR"), "policy.incoherent", "two values"),
    ("a reference of words and numbers", _told("ENDO", value=4), "policy.incoherent", "all words or all whole numbers"),
    ("a reference of huge numbers", _reference(columns={"n": HUGE}), "policy.incoherent", "beyond"),
    ("a person table with another key", _put("patients", unit="name"), "policy.incoherent", "unit"),
    ("a path that climbs", _put("visits", path="../visits"), "policy.malformed", "path"),
    ("a path that globs", _put("visits", path="visits*"), "policy.malformed", "path"),
    ("an encoding we do not read", _put("visits", encoding="big5"), "policy.malformed", "utf-8"),
    ("edges that fall", _edges(18, 0), "policy.malformed", "rising"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "edit", "code", "says"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_descriptor_is_refused_for(what: str, edit: Callable[[Tree], object], code: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        clinic.parsed(edit)
    assert refused.value.code == code
    assert says in str(refused.value)
    assert refused.value.words("zh")


def test_a_stored_name_may_not_be_that_of_a_norm() -> None:
    with pytest.raises(BadInput, match="total_los_days"):
        clinic.parsed(lambda t: clinic.field(t, "visits", "dept").update(name="total_los_days"))


def test_text_that_is_not_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(BadInput) as refused:
        descriptor.parse(b"name: clinic\nresources: [")
    assert refused.value.code == "policy.not_yaml"
    assert refused.value.place is not None and refused.value.place.startswith("line")


def test_yaml_cannot_make_objects() -> None:
    with pytest.raises(BadInput):
        descriptor.parse(b"!!python/object/apply:os.system ['true']")


def test_the_hospital_descriptor_holds_together() -> None:
    hospital = descriptor.parse(HOSPITAL.read_bytes())
    assert [table.name for table in hospital.tables] == ["patients", "visits", "diagnoses", "labs", "notes"]
    assert [r.name for r in hospital.resources if not r.kept] == []


def test_a_narrowed_descriptor_leaves_out_the_columns_that_need_other_tables() -> None:
    text = descriptor.narrowed(
        HOSPITAL.read_bytes(), ("patients", "visits"), size_class=20_000_000, classes={"patients": 4_000_000}
    )
    narrow = descriptor.parse(text)
    assert [t.name for t in narrow.tables] == ["patients", "visits"]
    assert not narrow.person_table.derived
    assert narrow.size_class == narrow.rows_of("visits") == 20_000_000
    assert narrow.rows_of("patients") == 4_000_000


def test_taking_fewer_tables_refuses_a_column_that_needs_another() -> None:
    with pytest.raises(BadInput, match="diabetes needs table diagnoses"):
        descriptor.only(clinic.parsed(), ("patients", "visits"))
    with pytest.raises(BadInput, match="no table labs"):
        descriptor.only(clinic.parsed(), ("patients", "labs"))


def test_numbers_take_the_narrowest_type_that_holds_their_bounds() -> None:
    d = clinic.parsed()
    visits = d.table("visits")
    assert visits is not None
    types = {c.name: c.sql_type for c in stored_columns(d, visits)}
    assert types["los_days"] == "TINYINT"
    assert types["fee"] == "INTEGER"
    assert types["dept"] == "ENUM('CARD', 'NEUR', 'ENDO')"
    assert set(norm_names(visits)) >= {
        "unit_rows",
        "norm_dept",
        "distinct_dept",
        "first_dept",
        "total_los_days",
        "total_fee",
    }
