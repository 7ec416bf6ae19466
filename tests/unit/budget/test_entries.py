"""Every act is read back as it was written; what is no act is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.audit import Head, canonical, link
from enclave.budget.accounts import population, project, researcher
from enclave.budget.acts import ACTS, Act, Frozen, Gap, Lost, Opened, Raised, Reserved, Settled, Thawed
from enclave.budget.amount import MOST, Amount, pure
from enclave.budget.charge import Charge, Share
from enclave.budget.entries import Entry, body, bound
from enclave.errors import BadInput, Tampered
from enclave.store import Signature

P, SIGNED = project("p"), Signature("aa", "bb")
accounts = st.one_of(
    st.builds(population, st.text('cn患者 "\\', min_size=1, max_size=4).map(lambda t: f"r{t}r")), st.just(P)
)
amounts = st.one_of(
    st.tuples(st.integers(0, MOST), st.integers(0, MOST)).map(lambda parts: Amount(*parts)),
    st.builds(pure, st.integers(0, MOST)),
)
accounts_and_amounts = st.lists(st.builds(Share, accounts, amounts), min_size=1, unique_by=lambda s: s.account)
facts = st.dictionaries(st.text(max_size=9), st.one_of(st.text(max_size=9), st.integers()))

EACH: list[Act] = [
    Opened(P, Amount(5, 1), "officer", "grt_1"),
    Opened(P, pure(5), "officer", "grt_1"),
    Raised(P, Amount(5, 1), Amount(6, 1), "officer", SIGNED),
    Frozen(P, "broker", "incident"),
    Thawed(P, 3, "officer", SIGNED),
    Reserved(Charge((Share(P, Amount(2)), Share(population("cn"), Amount(0))), {"run": "run_1", "price": 2})),
    Reserved(Charge((Share(P, pure(2)),))),
    Settled(5, "key", "digest", False, {"note": "x"}),
    Lost(5),
    Gap(Head(9, "aa"), Head(5, "bb"), 3, "officer", SIGNED),
]


@pytest.mark.parametrize("act", EACH, ids=lambda a: a.KIND)
def test_an_act_is_read_back_as_written(act: Act) -> None:
    entry = Entry(1, "now", act.KIND, canonical(act.detail()).decode(), "", "")
    assert entry.act == act


@given(accounts_and_amounts, facts)
def test_a_charge_spelled_out_is_spelled_as_everything_else(shares: list[Share], what: dict[str, str | int]) -> None:
    charge = Charge(tuple(shares), what)
    assert Reserved(charge).text == canonical(charge.detail()).decode()


@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=40))
def test_an_entry_is_bound_by_the_link_of_its_body(at: str, kind: str, text: str) -> None:
    assert bound("ab" * 32, at, kind, text) == link("ab" * 32, body(at, kind, text))


@pytest.mark.parametrize("parts", [[1, 0, 0], [0, 0, -1], [1, 0, 1], [0, 1, 1]])
def test_an_amount_has_one_spelling_and_one_measure(parts: list[int]) -> None:
    detail = {"account": ["project", "p"], "cap": parts, "actor": "a", "why": ""}
    with pytest.raises(Tampered, match="cannot be read"):
        _ = Entry(1, "now", "opened", canonical(detail).decode(), "", "").act


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
