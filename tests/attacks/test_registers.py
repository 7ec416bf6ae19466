"""Attack: ask about the same people under two registers, and so twice under two budgets.

Two registers have an account each only when somebody signed why they share nobody, and when by their marks they do not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.oracle import clinic, front_page
from tests.oracle.front_page import MAN, STAY, WOMAN

from enclave import catalogue
from enclave.catalogue.life import destroy_versions
from enclave.catalogue.manifest import folder_of
from enclave.catalogue.registers import MARKS
from enclave.errors import BadInput, Refused, Tampered
from enclave.intake import descriptor
from enclave.intake.report import from_json

RULE = "Children's hospital and hospital for the aged: nobody is in both."
OLD_NUMBER = WOMAN["id_no"][:6] + WOMAN["id_no"][8:17]


class House:
    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, clinic.home(folder / "home")

    def take(
        self, name: str, register: str, people: list[dict[str, str]], apart: Any = None, *, also: tuple[str, ...] = ()
    ) -> catalogue.Shelved:
        tree = yaml.safe_load(front_page.TEXT) | {"name": name, "register": register}
        for table, charged in zip(tree["resources"], also, strict=False):
            table["registers"] = [charged]
        if apart is not None:
            tree["apart"] = apart
        path = self.home.signed(yaml.safe_dump(tree, allow_unicode=True).encode())
        source = self.folder / f"source-{len(list(self.folder.iterdir()))}"
        front_page.write(source, people, [STAY | {"patient_id": people[0]["patient_id"]}])
        home = self.home
        return catalogue.shelve(home.db, home.place, home.keyring, "steward", path, source, demo_home=False)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _apart(*others: str) -> dict[str, Any]:
    return {"by": "id_no", "from": dict.fromkeys(others, RULE)}


def _refused(take: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        take()
    assert WOMAN["id_no"] not in refused.value.words() + refused.value.words("zh")
    return refused.value.code


def test_one_person_in_two_registers_is_found_whatever_form_the_number_has(house: House) -> None:
    house.take("aged", "aged", [WOMAN], _apart("children"))
    both = [MAN, {**WOMAN, "patient_id": "other", "id_no": OLD_NUMBER}]
    assert _refused(lambda: house.take("young", "children", both, _apart("aged"))) == "catalogue.registers_overlap"
    assert [d.name for d in catalogue.listing(house.home.db)] == ["aged"]
    assert not list((house.home.place.extracts / "young").glob("v*"))
    disjoint = house.take("young", "children", [MAN], _apart("aged"))
    assert disjoint.dataset.register == "children", "the control: who shares nobody comes in"


def test_who_cannot_be_compared_is_told_to_the_steward(house: House) -> None:
    house.take("aged", "aged", [WOMAN, {**MAN, "id_no": "440524188001010015"}], _apart("children"))
    report = from_json((house.home.place.extracts / "aged" / "report.json").read_bytes())
    (check,) = [c for c in report.checks if c.code == "unmarked"]
    assert (check.failed, check.of, check.column) == (1, 2, "id_no")


def test_without_a_signed_rule_there_is_no_second_register(house: House) -> None:
    house.take("aged", "aged", [WOMAN], _apart("somewhere_else"))
    take = house.take
    assert _refused(lambda: take("young", "children", [MAN])) == "catalogue.registers_unchecked"
    assert _refused(lambda: take("young", "children", [MAN], _apart("elsewhere"))) == "catalogue.registers_unstated"
    assert take("young", "aged", [MAN]).dataset.register == "aged", "under the same register, and budget, it may"


def test_who_charges_the_other_register_in_every_table_needs_no_rule(house: House) -> None:
    house.take("aged", "aged", [WOMAN])
    young = [WOMAN, MAN]
    assert _refused(lambda: house.take("young", "children", young, also=("aged",))) == "catalogue.registers_unchecked"
    made = house.take("young", "children", young, also=("aged", "aged"))
    assert made.dataset.registers == ("children", "aged")
    assert house.take("aged", "aged", [WOMAN, MAN]).version == 2, "nor when the first is taken in again"


def test_a_register_that_keeps_no_marks_is_not_taken_for_disjoint(house: House) -> None:
    house.take("aged", "aged", [WOMAN])
    assert _refused(lambda: house.take("young", "children", [MAN], _apart("aged"))) == "catalogue.registers_unchecked"


def test_a_dataset_does_not_leave_its_register_by_another_name(house: House) -> None:
    house.take("aged", "aged", [WOMAN], _apart("fresh"))
    assert _refused(lambda: house.take("aged", "fresh", [WOMAN], _apart("aged"))) == "catalogue.registers_overlap"


def test_the_rule_may_stand_on_either_side_and_both_are_rebuilt(house: House) -> None:
    house.take("aged", "aged", [WOMAN], _apart("nobody"))
    house.take("young", "children", [MAN], _apart("aged"))
    again = [WOMAN, {**WOMAN, "patient_id": "W9", "id_no": "110105491231003"}]
    assert house.take("aged", "aged", again, _apart("nobody")).version == 2
    assert _refused(lambda: house.take("aged", "aged", [WOMAN, MAN], _apart("nobody"))) == "catalogue.registers_overlap"


def test_marks_are_sealed_and_cannot_be_emptied_unseen(house: House) -> None:
    made = house.take("aged", "aged", [WOMAN], _apart("children"))
    path = folder_of(house.home.place, "aged", made.version) / MARKS
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Tampered):
        house.take("young", "children", [WOMAN], _apart("aged"))


def test_what_is_destroyed_is_compared_with_no_more(house: House) -> None:
    house.take("aged", "aged", [WOMAN], _apart("children"))
    destroy_versions(house.home.db, "operator", "aged", "retired")
    assert house.take("young", "children", [WOMAN], _apart("aged")).dataset.register == "children"


@pytest.mark.parametrize(
    "wrong", [{"by": "nowhere", "from": {"a": RULE}}, {"by": "id_no", "from": {"town": RULE}}, {"by": "id_no", "from": {}},
              {"by": "id_no", "from": {"a": "because"}}],
)  # fmt: skip
def test_a_statement_that_says_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        descriptor.parse(yaml.safe_dump(yaml.safe_load(front_page.TEXT) | {"apart": wrong}).encode())
