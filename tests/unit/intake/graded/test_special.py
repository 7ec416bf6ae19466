"""Content of level 5 is held back unless the policy names it: in lists, in codes without a list, in free text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import clinic, ward

from enclave.intake import graded
from enclave.intake.graded import special

Tree = dict[str, Any]
Edit = Callable[[Tree], object]


def _named(tree: Tree) -> None:
    tree.update(special=["hiv", "std"], grade=5)


def _listed(*codes: str) -> Edit:
    return lambda tree: tree["code_lists"]["category"]["codes"].extend(codes)


def _flag(*prefixes: str) -> Edit:
    return lambda tree: clinic.field(tree, "diagnoses", "dx")["yields"][0].update(prefixes=list(prefixes))


def _any_of(*prefixes: str) -> Edit:
    return lambda t: clinic.resource(t, "patients")["derived"][0]["any_of"].update(prefixes=list(prefixes))


def _column(name: str) -> Edit:
    column = {"name": name, "type": "string", "yields": [{"name": "result", "treatment": "keep", "list": "sex"}]}
    return lambda tree: clinic.resource(tree, "patients")["schema"]["fields"].append(column)


def _renamed(tree: Tree) -> None:
    tree["code_lists"]["sex"]["rename"] = {"1": "male", "梅毒抗体": "x"}


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_listed("B20"), "special_code"), (_listed("A51"), "special_code"), (_flag("E10", "B23.0"), "special_code"),
        (_any_of("Z21"), "special_code"), (_column("hiv_result"), "special_column"), (_column("梅毒结果"), "special_column"),
        (_renamed, "special_code"), (lambda t: t.update(special=["hiv"], grade=3), "special_grade"),
    ],
)  # fmt: skip
def test_a_policy_that_keeps_it_without_naming_it_is_refused(edit: Edit, code: str) -> None:
    found = graded.violations(clinic.parsed(edit))
    assert [v.code for v in found if v.rule == "level-5"][:1] == [code]
    assert found[0].words("zh") and found[0].words("en")

    def named(tree: Tree) -> None:
        edit(tree)
        _named(tree)

    assert graded.violations(clinic.parsed(named)) == ()


@pytest.mark.parametrize("code", ["B18", "B2", "E12", "Z51", "A49", "A65", "R74", "O80", "hearing_aids", "B02.900"])
def test_neighbours_of_the_list_are_not_of_it(code: str) -> None:
    assert graded.violations(clinic.parsed(_listed(code))) == ()


def _raw() -> clinic.Rows:
    raw = clinic.rows()
    codes = ["B20.x00", "I10", "a52.700", "B24"]
    raw["visits"] = [clinic.visit(n, 1, main_dx=code) for n, code in enumerate(codes, 1)]
    raw["visits"].append(clinic.visit(5, 2, main_dx=""))
    raw["diagnoses"] = [clinic.diagnosis(1, 1, 1, dx="B20"), clinic.diagnosis(2, 2, 1, dx="E11")]
    return raw


def _finer(tree: Tree) -> None:
    """Codes that nobody lists, finer than their category: both must be held back, or the build would find them at odds."""
    visits = clinic.field(tree, "visits", "main_dx")
    visits["yields"][2].update(pattern="[A-Za-z][0-9]{2}.*", finer_than=["dx_category"])


def test_attack_a_code_without_a_list_brings_hiv_into_an_extract(tmp_path: Path) -> None:
    made = clinic.built(tmp_path / "held", _raw(), clinic.parsed(_finer))
    visits = clinic.stored(made, "visits")
    kept = [(row["dx_code"], row["dx_category"], row["dx_chapter"]) for row in visits]
    assert sorted(kept, key=str) == [("I10", "I10", "IX"), *[(None, None, None)] * 4]
    assert {row["is_diabetes"] for row in clinic.stored(made, "diagnoses")} == {None, True}
    counted = {
        c.table: c.failed for c in made.report.checks if c.code == "special_held" and c.column in ("main_dx", "dx")
    }
    assert counted == {"visits": 3, "diagnoses": 1}

    def control(tree: Tree) -> None:
        _finer(tree)
        _named(tree)

    named = clinic.stored(clinic.built(tmp_path / "named", _raw(), clinic.parsed(control)), "visits")
    assert {row["dx_code"] for row in named} == {"B20.x00", "I10", "a52.700", "B24", None}


def test_words_of_it_leave_the_notes(tmp_path: Path) -> None:
    notes = {
        "P1": ["患者HIV抗体阳性，否认梅毒病史。", "获得性免疫缺陷综合征，规律服药。"],
        "P2": ["Known AIDS, RPR negative; wears hearing aids.", "血压平稳。"],
    }
    made = ward.built(tmp_path / "held", clinic.rows(), notes)
    text = [*ward.kept(made, "P1"), *ward.kept(made, "P2")]
    assert not any(word in said for said in text for word in ("HIV", "梅毒", "免疫缺陷", "AIDS", "RPR"))
    assert text[0].startswith(f"患者{special.MARKS[0]}抗体阳性") and special.MARKS[1] in text[2]
    assert "hearing aids" in text[2] and text[3] == "血压平稳。"
    named = ward.built(tmp_path / "named", clinic.rows(), notes, ward.described(edit=_named))
    assert "HIV" in ward.kept(named, "P1")[0] and "AIDS" in ward.kept(named, "P2")[0]
