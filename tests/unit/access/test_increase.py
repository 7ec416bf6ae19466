"""Who asks for more budget, what becomes of it, and what is on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.attacks.asked import copied, furnished, granted_to
from tests.living import Living

from enclave.access import ask, check_grantable, granted_increase, listing_increases, refuse_increase, withdraw_increase
from enclave.access.increase import EVENTS, Increase, IncreaseState
from enclave.audit import search
from enclave.errors import BadInput, EnclaveError, NotFound, Refused


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Living:
    return furnished(tmp_path_factory.mktemp("furnished"))


@pytest.fixture
def living(template: Living, tmp_path: Path) -> Iterator[Living]:
    living = copied(template, tmp_path / "home")
    yield living
    living.close()


def asked(living: Living, who: str = "researcher", project: str = "", **changes: str) -> str:
    wish = {"epsilon_project": "6", "reason": "A finer table.", **changes}
    member = living.member(who)
    return ask(living.db, living.permissions, member, project or living.project, **wish).id


def test_a_member_asks_and_both_sides_see_it(living: Living) -> None:
    increase = asked(living, epsilon_researcher="2.5")
    for who, sees in (("researcher", True), ("officer", True), ("stranger", False)):
        found = {one.id for one in listing_increases(living.db, living.permissions, living.member(who))}
        assert (increase in found) is sees, who
    one = check_grantable(living.db, increase)
    own = ("researcher", f"{living.project}/researcher")
    assert one.wanted == {("project", living.project): "6", own: "2.5"}


@pytest.mark.parametrize(
    "wish",
    [{"epsilon_project": ""}, {"epsilon_project": "-1"}, {"epsilon_project": "NaN"}, {"epsilon_project": "0"},
     {"epsilon_project": "６"}, {"epsilon_project": "1e3"}, {"reason": " "}, {"reason": "x" * 2_001}],
    ids=str,
)  # fmt: skip
def test_what_is_no_wish_is_refused(living: Living, wish: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        asked(living, **wish)
    assert not listing_increases(living.db, living.permissions, living.member("officer"))


def test_nobody_asks_for_a_project_that_is_not_theirs_or_learns_that_it_is_there(living: Living) -> None:
    theirs = granted_to(living, "stranger")
    said = []
    for project in (theirs, "prj_0000000000000000"):
        with pytest.raises(NotFound) as refused:
            asked(living, project=project)
        said.append(refused.value.words())
    assert said[0] == said[1]
    assert asked(living, "stranger", theirs)  # the control


@pytest.mark.parametrize("end", ["granted", "refused", "withdrawn"])
def test_a_decided_wish_moves_no_further_and_each_end_is_on_record(living: Living, end: str) -> None:
    increase, officer = asked(living), living.member("officer")
    ends: dict[str, Callable[[], Increase]] = {
        "granted": lambda: granted_increase(living.db, officer, increase, why="agreed"),
        "refused": lambda: refuse_increase(living.db, living.permissions, officer, increase, reason="Too much."),
        "withdrawn": lambda: withdraw_increase(living.db, living.member("researcher"), increase),
    }
    assert ends[end]().state == end
    for again in ends.values():
        with pytest.raises(Refused):
            again()
    with pytest.raises(Refused):
        check_grantable(living.db, increase)
    kinds = [event["kind"] for event in search(living.db, subject=increase)]
    assert kinds[:2] == [EVENTS[IncreaseState.ASKED], EVENTS[IncreaseState(end)]]


def test_only_an_officer_refuses_and_only_the_author_takes_back(living: Living) -> None:
    increase = asked(living)
    for who in ("steward", "researcher", "auditor"):
        with pytest.raises(EnclaveError):
            refuse_increase(living.db, living.permissions, living.member(who), increase, reason="No.")
    with pytest.raises(NotFound):
        withdraw_increase(living.db, living.member("stranger"), increase)
    with pytest.raises(BadInput):
        refuse_increase(living.db, living.permissions, living.member("officer"), increase, reason=" ")
    assert check_grantable(living.db, increase).state is IncreaseState.ASKED
