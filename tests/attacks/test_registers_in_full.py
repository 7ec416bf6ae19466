"""A table that draws on more persons than pay for it: every register a question reads is charged in full, or nothing is.

The control is a question that does not read the table, and the same dataset without the further register.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.attacks.asked import Door, copied, granted_to, opened
from tests.living import Living, born, granted, raw_hospital, shelved

from enclave.broker import asking
from enclave.broker.caps import RegisterCap
from enclave.budget import balances, population
from enclave.catalogue import card
from enclave.errors import EnclaveError

OWN = "hospital_patients"
CAP = """
[registers.insured]
epsilon = "{epsilon}"
delta = "1e-6"
"""
VISITS = "SELECT dept, COUNT(*) AS n FROM visits GROUP BY dept"
READS = {
    "the table itself": "SELECT dx_category, COUNT(*) AS n FROM diagnoses GROUP BY dx_category",
    "a join": "SELECT v.dept, COUNT(*) AS n FROM diagnoses d JOIN visits v USING (visit_id) GROUP BY v.dept",
    "a name": "WITH per AS (SELECT patient_id, COUNT(*) AS n FROM diagnoses GROUP BY patient_id) "
    "SELECT AVG(n) AS m FROM per",
    "one under another": "SELECT dx_category, COUNT(*) AS n FROM (SELECT patient_id, dx_category FROM visits UNION ALL "
    "SELECT patient_id, dx_category FROM diagnoses) AS both GROUP BY dx_category",
    "a join that only leaves out": "SELECT v.dept, COUNT(*) AS n FROM visits v JOIN (SELECT patient_id FROM diagnoses "
    "GROUP BY patient_id) AS told USING (patient_id) GROUP BY v.dept",
}


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Living:
    """A home whose diagnoses stand in two registers, by its signed descriptor."""
    folder = tmp_path_factory.mktemp("linked")
    made = born(folder)
    descriptor = made.place.policies / "datasets" / "hospital" / "datapackage.yaml"
    text = descriptor.read_text()
    assert text.count("    path: diagnoses\n") == 1
    descriptor.write_text(text.replace("    path: diagnoses\n", "    path: diagnoses\n    registers: [insured]\n"))
    budget = made.place.policies / "budget.toml"
    budget.write_text(budget.read_text() + CAP.format(epsilon=5))
    shelved(made, raw_hospital(folder / "raw", 100))
    made.request, made.project = granted(made)
    made.close()
    return made


@pytest.fixture
def both(linked: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(asking, "OPENING_MS", 400)
    living = copied(linked, tmp_path / "linked")
    with opened(living) as door:
        yield door
    living.close()


def capped(door: Door, epsilon: str | None) -> Door:
    """The same door under another cap of the second register, or none."""
    caps = {name: cap for name, cap in door.asking.caps.items() if name != "insured"}
    caps |= {"insured": RegisterCap(epsilon, "1e-6")} if epsilon else {}
    return replace(door, asking=replace(door.asking, caps=caps))


def spent(door: Door) -> dict[str, int]:
    kept = {b.account: b.spent.nano_rho for b in balances(door.living.place)}
    return {name: kept.get(population(name), 0) for name in (OWN, "insured")}


@pytest.mark.parametrize("sql", READS.values(), ids=READS.keys())
def test_every_register_a_question_reads_pays_in_full(both: Door, sql: str) -> None:
    head = both.ask(sql, "1").head
    assert head.rho_spent > 0
    assert spent(both) == {OWN: head.rho_spent, "insured": head.rho_spent}


def test_control_what_does_not_read_the_table_leaves_the_register_alone(both: Door, door: Door) -> None:
    head = both.ask(VISITS, "1").head
    assert spent(both) == {OWN: head.rho_spent, "insured": 0}
    plain = door.ask(READS["a join"], "1").head
    assert spent(door) == {OWN: plain.rho_spent, "insured": 0}, "the same question where the table draws on no other"


def test_where_one_register_is_exhausted_none_pays(both: Door) -> None:
    both = capped(both, "0.5")
    with pytest.raises(EnclaveError) as refused:
        both.ask(READS["a join"], "1")
    assert refused.value.code == "budget.population_exhausted"
    assert spent(both) == {OWN: 0, "insured": 0}
    assert not both.extracts.is_open(both.asker(both.living.project).dataset)


def test_where_one_register_has_no_cap_nothing_is_asked(both: Door) -> None:
    both = capped(both, None)
    with pytest.raises(EnclaveError) as refused:
        both.ask(READS["a join"], "1")
    assert refused.value.code == "broker.no_population_cap"
    assert spent(both) == {OWN: 0, "insured": 0}


def test_what_another_project_asks_again_no_register_pays_twice(both: Door) -> None:
    other = granted_to(both.living, "stranger")
    first = both.ask(READS["a join"], "1").head
    again = both.ask(READS["a join"], "1", project=other, member="stranger").head
    assert again.rho_spent == first.rho_spent
    assert spent(both) == {OWN: first.rho_spent, "insured": first.rho_spent}


def test_the_card_says_which_registers_a_table_draws_on(both: Door) -> None:
    shown = card(both.asker(both.living.project).dataset)
    assert {t.name: t.registers for t in shown.tables if t.registers} == {"diagnoses": ("insured",)}
