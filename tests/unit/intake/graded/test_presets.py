"""What each preset demands, and of which column a descriptor breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic

from enclave.errors import BadInput, Refused
from enclave.intake import descriptor, graded
from enclave.intake.graded.demands import DEMANDS

HOSPITAL = Path(__file__).parents[4] / "policies" / "datasets" / "hospital" / "datapackage.yaml"
OPEN = {"class": "conditional", "basis": "a decision of the board"}
Tree = dict[str, Any]
Edit = Callable[[Tree], object]


def _under(preset: str, edit: Edit, openness: dict[str, str] | None = OPEN) -> Edit:
    def change(tree: Tree) -> None:
        tree["presets"] = [preset]
        if openness:
            tree["openness"] = openness
        edit(tree)

    return change


def found(preset: str, edit: Edit, openness: dict[str, str] | None = OPEN) -> set[tuple[str, str]]:
    """(place, code) of the violations of the clinic under a preset."""
    return {(v.place, v.code) for v in graded.violations(clinic.parsed(_under(preset, edit, openness)))}


def _yield(table: str, column: str, n: int, /, **changes: Any) -> Edit:
    return lambda tree: clinic.field(tree, table, column)["yields"][n].update(changes)


PUBLIC = {"class": "unconditional", "basis": "somebody said so"}
POSTCODE = {"name": "postcode", "type": "string", "treatment": "prefix", "list": "province"}


def _put(**changes: Any) -> Edit:
    return lambda tree: tree.update(changes)


def _field(table: str, column: str, /, **changes: Any) -> Edit:
    return lambda tree: clinic.field(tree, table, column).update(changes)


def _column(table: str, **field: Any) -> Edit:
    return lambda tree: clinic.resource(tree, table)["schema"]["fields"].append(field)


def _nothing(tree: Tree) -> None:
    pass


HARBOURED = {
    "yields": [{"name": "admit_year", "treatment": "year", "lower": 2021, "upper": 2024}],
}


def _harboured(tree: Tree) -> None:
    """The clinic as Safe Harbor lets it be."""
    clinic.field(tree, "visits", "admitted_at").update(HARBOURED)
    clinic.field(tree, "visits", "discharged_at").update(
        {"yields": [{"name": "left_year", "treatment": "year", "lower": 2021, "upper": 2024}]}
    )


CN, HARBOR, LIMITED = "cn-39725", "hipaa-safe-harbor", "hipaa-limited"
BREACHES: list[tuple[str, Edit, str, str]] = [
    (CN, _put(grade=1), "datapackage.yaml", "grade_1"),
    (CN, _put(grade=4), "datapackage.yaml", "grade_4"),
    (CN, _put(domain="hospital things"), "datapackage.yaml", "domain"),
    (CN, _put(grade=3, openness=PUBLIC), "datapackage.yaml", "openness_of_grade"),
    (CN, _put(shift_days=0), "visits.admitted_at", "true_date"),
    (CN, _column("visits", name="phone", type="string", treatment="form", pattern="[0-9]+"), "visits.phone", "direct"),
    (HARBOR, _nothing, "visits.admitted_at", "day"),
    (HARBOR, _nothing, "visits.discharged_at", "day"),
    (HARBOR, _yield("patients", "birth_date", 0, upper=99), "patients.birth_date", "oldest"),
    (HARBOR, _yield("patients", "birth_date", 1, edges=[0, 18, 95]), "patients.birth_date", "oldest"),
    (HARBOR, _column("patients", name="year_of_birth", type="integer", treatment="clamp", lower=1900, upper=2025),
     "patients.year_of_birth", "oldest"),
    (HARBOR, _yield("patients", "region_code", 0, length=4), "patients.region_code", "place"),
    (HARBOR, _column("patients", **POSTCODE, length=5), "patients.postcode", "place"),
    (HARBOR, _column("patients", name="remark", type="string", treatment="redact"), "patients.remark", "free_text"),
    (HARBOR, _column("patients", name="medical_record_no", type="string", treatment="keep", list="sex"),
     "patients.medical_record_no", "direct"),
    (LIMITED, _column("patients", name="home_address", type="string", treatment="form", pattern=".+"),
     "patients.home_address", "street"),
    (LIMITED, _column("patients", name="email", type="string", treatment="form", pattern=".+"), "patients.email", "direct"),
]  # fmt: skip


@pytest.mark.parametrize(("preset", "edit", "place", "code"), BREACHES, ids=[f"{b[0]}-{b[3]}-{b[2]}" for b in BREACHES])
def test_a_breach_is_named_by_its_column(preset: str, edit: Edit, place: str, code: str) -> None:
    assert (place, code) in found(preset, edit)


def test_what_holds_to_a_preset_breaks_nothing() -> None:
    """The controls: the clinic under each preset, and under Safe Harbor with years alone."""
    assert found(CN, _nothing) == set()
    assert found(LIMITED, _nothing) == set()
    assert found(HARBOR, _harboured) == set()
    assert found(HARBOR, _column("patients", **POSTCODE, length=3)) == {
        ("visits.admitted_at", "day"), ("visits.discharged_at", "day"),
    }  # fmt: skip


def test_openness_is_demanded_with_its_basis() -> None:
    assert ("datapackage.yaml", "openness") in found(CN, _nothing, openness=None)
    assert ("datapackage.yaml", "agreement") in found(LIMITED, _nothing, openness=None)
    for basis in ("", "   "):
        with pytest.raises(BadInput) as refused:
            clinic.parsed(_put(openness={"class": "closed", "basis": basis}))
        assert refused.value.place and "basis" in refused.value.place
    with pytest.raises(BadInput):
        clinic.parsed(_put(openness={"class": "open", "basis": "a decision"}))


def test_the_steward_s_signed_word_settles_what_is_no_identifier() -> None:
    phone = {"name": "phone", "type": "string", "treatment": "form", "pattern": "[0-9]+"}
    settled = phone | {"settled": "the ward's own extension, not a person's"}
    assert ("visits.phone", "direct") in found(CN, _column("visits", **phone))
    assert found(CN, _column("visits", **settled)) == set()


def test_a_descriptor_may_be_held_against_several_presets_and_against_none() -> None:
    both = clinic.parsed(_put(presets=[CN, HARBOR], openness=OPEN))
    assert {v.rule for v in graded.violations(both)} == {HARBOR}
    assert graded.violations(clinic.parsed()) == ()
    with pytest.raises(BadInput):
        clinic.parsed(_put(presets=["gdpr"]))
    assert graded.violations(descriptor.parse(HOSPITAL.read_bytes())) == ()


def test_every_violation_has_its_words_in_both_languages() -> None:
    codes = {b[3] for b in BREACHES} | {"openness", "agreement"}
    for preset, edit, _, _ in BREACHES:
        for violation in graded.violations(clinic.parsed(_under(preset, edit))):
            assert violation.place in violation.words("en") and violation.rule in violation.words("zh")
            codes.discard(violation.code)
    assert codes <= {"openness", "agreement"} and set(DEMANDS) == {CN, HARBOR, LIMITED}


def test_nobody_signs_and_no_intake_takes_what_breaks_a_preset(tmp_path: Path) -> None:
    house = clinic.home(tmp_path / "home")
    with pytest.raises(Refused) as refused:
        house.signed(clinic.text(_put(presets=[HARBOR])))
    assert refused.value.code == "policy.preset_violated"
    assert "visits.admitted_at (hipaa-safe-harbor: day)" in str(refused.value)
    house.signed(clinic.text(_put(presets=[CN], openness=OPEN)))  # the control
