"""Safe Harbor's eighteen, as the hospital's policy keeps them."""

from __future__ import annotations

from pathlib import Path

from tests.oracle import clinic

from enclave.intake import descriptor
from enclave.intake.report import Check
from enclave.intake.risk.harbor import ITEMS, safe_harbor

HOSPITAL = Path(__file__).parents[4] / "policies" / "datasets" / "hospital" / "datapackage.yaml"


def _found(text: bytes) -> dict[str, Check]:
    section = safe_harbor(descriptor.parse(text))
    return {check.code.removeprefix("harbor_"): check for check in section.checks}


def test_what_the_hospital_keeps_beyond_the_list_is_named() -> None:
    found = _found(HOSPITAL.read_bytes())
    assert list(found) == list(ITEMS)
    kept = {item: check.facts["columns"] for item, check in found.items() if check.failed}
    assert set(kept) == {"dates", "codes"}
    assert "visits.admitted_at (admitted_on: shift, admit_month: month)" in str(kept["dates"])
    assert (found["names"].of, found["names"].failed) == (1, 0), "dropped: known of, not kept"
    assert (found["places"].failed, found["phones"].of, found["social"].of, found["records"].failed) == (0, 1, 1, 0)


def test_a_county_and_an_age_of_ninety_five_are_beyond_it() -> None:
    def county(tree: dict[str, object]) -> None:
        clinic.field(tree, "patients", "region_code").update(element="region")
        for output in clinic.field(tree, "patients", "region_code").get("yields", []):
            output["length"] = 4
        ages = clinic.field(tree, "patients", "birth_date")["yields"]
        next(o for o in ages if o["treatment"] == "age")["upper"] = 110

    before, after = _found(clinic.text()), _found(clinic.text(county))
    assert "age: age" not in str(before["dates"].facts["columns"])
    assert "age: age" in str(after["dates"].facts["columns"])
    assert after["places"].failed == 1
