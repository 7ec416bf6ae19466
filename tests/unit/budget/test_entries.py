"""Every act is read back as it was written; what is no act is refused."""

from typing import Any

import pytest

from enclave.audit import Head, canonical
from enclave.budget.accounts import population, project, researcher
from enclave.budget.amount import Amount
from enclave.budget.entries import (
    ACTS,
    Act,
    Charge,
    Entry,
    Frozen,
    Gap,
    Lost,
    Opened,
    Raised,
    Reserved,
    Settled,
    Share,
    Thawed,
)
from enclave.errors import BadInput, Tampered
from enclave.store import Signature

P, SIGNED = project("p"), Signature("aa", "bb")
EACH: list[Act] = [
    Opened(P, Amount(5, 1), "officer", "grt_1"),
    Raised(P, Amount(5, 1), Amount(6, 1), "officer", SIGNED),
    Frozen(P, "broker", "incident"),
    Thawed(P, 3, "officer", SIGNED),
    Reserved(Charge((Share(P, Amount(2)), Share(population("cn"), Amount(0))), {"run": "run_1", "price": 2})),
    Settled(5, "key", "digest", False, {"note": "x"}),
    Lost(5),
    Gap(Head(9, "aa"), Head(5, "bb"), 3, "officer", SIGNED),
]


@pytest.mark.parametrize("act", EACH, ids=lambda a: a.KIND)
def test_an_act_is_read_back_as_written(act: Act) -> None:
    entry = Entry(1, "now", act.KIND, canonical(act.detail()).decode(), "", "")
    assert entry.act == act


def test_every_act_is_tested_here() -> None:
    assert {act.KIND for act in EACH} == set(ACTS)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("gift", {}),
        ("opened", {}),
        ("opened", {"account": ["project", "p"], "cap": [-1, 0], "actor": "a", "why": ""}),
        ("opened", {"account": ["nobody", "p"], "cap": [1, 0], "actor": "a", "why": ""}),
        ("reserved", {"shares": [], "what": {}}),
        ("reserved", {"shares": [["project", "p", 1]], "what": {"x": None}}),
        ("lost", {}),
        ("lost", {"reservation": 1, "refund": 2}),
    ],
)
def test_what_is_no_act_is_tampering(kind: str, detail: dict[str, Any]) -> None:
    with pytest.raises(Tampered, match="cannot be read"):
        _ = Entry(1, "now", kind, canonical(detail).decode(), "", "").act


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"reservation": 1}', '{"reservation":0.5}', b"{}", None, 7])
def test_a_detail_in_another_spelling_or_type_is_tampering(text: str) -> None:
    with pytest.raises(Tampered, match="cannot be read"):
        _ = Entry(1, "now", "lost", text, "", "").act


def test_a_charge_names_each_account_once_and_one_project_at_most() -> None:
    with pytest.raises(BadInput, match="at least one account"):
        Charge(())
    with pytest.raises(BadInput, match="none twice"):
        Charge((Share(P, Amount(1)), Share(P, Amount(1))))
    with pytest.raises(BadInput, match="one project"):
        Charge((Share(P, Amount(1)), Share(researcher("q", "m"), Amount(1))))
    assert Charge((Share(population("a"), Amount(1)), Share(population("b"), Amount(1)))).project == ""


@pytest.mark.parametrize("fact", [0.5, None, True, ["x"], {"x": 1}])
def test_facts_are_text_or_whole_numbers(fact: object) -> None:
    with pytest.raises(BadInput, match="whole number"):
        Charge((Share(P, Amount(1)),), {"price": fact})  # type: ignore[dict-item]


def test_facts_do_not_change_after_birth() -> None:
    facts: dict[str, str | int] = {"run": "run_1"}
    charge = Charge((Share(P, Amount(1)),), facts)
    facts["run"] = "run_2"
    assert charge.what == {"run": "run_1"}
