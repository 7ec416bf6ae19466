"""A word finds variables by name, title or code, in either language."""

from __future__ import annotations

import pytest

from domicile.client.search import search
from domicile.wire.shapes import DatasetCard, TableCard, VariableCard

SEX = VariableCard(name="sex", kind="code", title="Sex", title_zh="性别", codes=("male", "female"))
DX = VariableCard(name="dx_category", kind="code", title="Main diagnosis", title_zh="主要诊断", codes=("E11", "I10"))
FEE = VariableCard(name="total_fee", kind="decimal", title="Total fee")
PATIENTS = TableCard(name="patients", title="Patients", title_zh="患者", variables=(SEX,))
VISITS = TableCard(name="visits", title="Visits", variables=(DX, FEE))
CARD = DatasetCard(
    name="hospital", version=1, grade=3, domain="medical", unit="person", person_register="r", delta=1e-6, demo=True,
    digest="d", policy_digest="p", tables=(PATIENTS, VISITS),
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("性别", ["sex"]),
        ("SEX", ["sex"]),
        ("i10", ["dx_category"]),
        ("visits fee", ["total_fee"]),
        ("visits", ["dx_category", "total_fee"]),
        ("患者 sex", ["sex"]),
        ("weight", []),
        ("", ["sex", "dx_category", "total_fee"]),
    ],
)
def test_every_word_must_fit_somewhere(words: str, found: list[str]) -> None:
    assert [hit.variable.name for hit in search([CARD], words)] == found


def test_a_variable_of_that_name_comes_before_one_below_a_table_of_that_name() -> None:
    fee = TableCard(name="fee", variables=(SEX, FEE))
    card = CARD.model_copy(update={"tables": (fee,)})
    assert [hit.variable.name for hit in search([card], "fee")] == ["total_fee", "sex"]
