"""Account names cannot be taken for one another, and what an officer signs serves once."""

import pytest

from enclave.budget.accounts import (
    Account,
    AccountKind,
    Balance,
    population,
    project,
    raise_message,
    researcher,
    thaw_message,
)
from enclave.budget.amount import Amount
from enclave.errors import BadInput


@pytest.mark.parametrize("name", ["", " p", "p ", "a/b", "a\n", "a\u200bb", "a\u202eb", "x" * 257, "\ud800"])
def test_a_name_with_blank_ends_slashes_or_invisible_signs_is_refused(name: str) -> None:
    for make in (population, project):
        with pytest.raises(BadInput, match="no name for"):
            make(name)


@pytest.mark.parametrize("name", ["p", "p/", "/m", "p/m/x", "p/ m"])
def test_a_researcher_account_is_project_slash_member(name: str) -> None:
    with pytest.raises(BadInput):
        Account(AccountKind.RESEARCHER, name)
    assert researcher("p", "m").name == "p/m"


def test_a_kind_is_one_of_three() -> None:
    with pytest.raises(BadInput, match="population, project, researcher"):
        Account("dataset", "x")  # type: ignore[arg-type]


def test_only_project_and_researcher_belong_to_a_project() -> None:
    assert population("cn").project is None
    assert project("p").project == "p"
    assert researcher("p", "m").project == "p"


def test_a_name_may_be_chinese() -> None:
    assert str(population("住院 病人")) == "population 住院 病人"


def test_what_is_left_is_cap_less_spent() -> None:
    balance = Balance(project("p"), Amount(10, 4), Amount(3, 4))
    assert balance.left == Amount(7, 0)
    assert not balance.frozen


def test_every_signed_sentence_differs() -> None:
    said = [
        raise_message(project("p"), Amount(1), Amount(2)),
        raise_message(project("p"), Amount(2), Amount(3)),
        raise_message(population("p"), Amount(1), Amount(2)),
        raise_message(project("p"), Amount(1), Amount(2, 1)),
        thaw_message(project("p"), 1),
        thaw_message(project("p"), 2),
        thaw_message(population("p"), 1),
    ]
    assert len(set(said)) == len(said)
