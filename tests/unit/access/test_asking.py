"""The author writes, signs and hands in; others see it only if it concerns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enclave import access
from enclave.access import State, Verdict
from enclave.errors import BadInput, NotFound, Refused

if TYPE_CHECKING:
    from tests.conftest import Cast


def test_a_draft_takes_grade_and_approvals_from_dataset_and_policy(cast: Cast) -> None:
    request = cast.draft(grade=4)
    assert request.state is State.DRAFT and request.content.grade == 4
    assert request.content.steps == ("steward", "officer", "officer")
    assert request.content.policy_digest == cast.policy.digest


def test_a_closed_grade_cannot_be_asked_for(cast: Cast) -> None:
    with pytest.raises(Refused) as no:
        cast.draft(grade=5)
    assert no.value.code == "access.grade_closed"
    assert cast.events("access.refused")[-1]["detail"]["code"] == "access.grade_closed"


def test_a_closed_dataset_cannot_be_asked_for_nor_used_once_it_is_closed(cast: Cast) -> None:
    closed = cast.dataset(openness="closed", legal_basis="a decision of the bureau")
    with pytest.raises(Refused) as no:
        access.draft(
            cast.db, cast.keyring, cast.permissions, cast.policy, cast.member("researcher"), cast.asked(), closed
        )
    assert no.value.code == "access.dataset_closed"
    project = cast.project(cast.granted())
    asking = {"project": project, "member": "researcher"}
    access.check(cast.db, cast.keyring, **asking, dataset=cast.dataset(openness="conditional"))  # the control
    with pytest.raises(Refused) as no:
        access.check(cast.db, cast.keyring, **asking, dataset=closed)
    assert no.value.code == "access.dataset_closed"


def test_the_people_named_must_be_researchers_here(cast: Cast) -> None:
    assert cast.draft(people=("researcher2",)).content.members == {"researcher", "researcher2"}
    for people, error in ((("ghost",), NotFound), (("checker",), BadInput), (("researcher",), BadInput)):
        with pytest.raises(error):
            cast.draft(people=people)


def test_who_is_no_researcher_asks_for_nothing(cast: Cast) -> None:
    for name in ("operator", "steward", "officer", "checker", "auditor"):
        with pytest.raises(Refused):
            cast.draft(name)


def test_a_request_is_seen_by_its_people_and_those_who_decide(cast: Cast) -> None:
    request = cast.draft(people=("researcher2",))
    other = cast.draft("everything")
    for name in ("researcher", "researcher2", "steward", "officer", "auditor"):
        seen = {r.id for r in access.listing(cast.db, cast.permissions, cast.member(name))}
        assert request.id in seen
        assert access.find(cast.db, cast.permissions, cast.member(name), request.id) == request
    for name in ("operator", "checker"):
        assert access.listing(cast.db, cast.permissions, cast.member(name)) == ()
    with pytest.raises(NotFound) as hidden:
        access.find(cast.db, cast.permissions, cast.member("researcher"), other.id)
    with pytest.raises(NotFound) as missing:
        access.find(cast.db, cast.permissions, cast.member("researcher"), "req_none")
    assert str(hidden.value) == str(missing.value)


def test_submitting_signs_the_very_text(cast: Cast) -> None:
    request = cast.submitted()
    (statement,) = request.statements
    assert (statement.verdict, statement.member, statement.digest) == (
        Verdict.SUBMITTED, "researcher", request.content.digest
    )  # fmt: skip
    assert cast.events("request.submitted")[0]["detail"]["digest"] == request.content.digest


def test_a_stolen_session_without_the_token_signs_nothing(cast: Cast) -> None:
    request = cast.draft()
    with pytest.raises(Refused) as no:
        access.submit(
            cast.db, cast.permissions, cast.member("researcher"), request.id, token=cast.tokens["researcher2"]
        )
    assert no.value.code == "people.token_not_theirs"
    assert access.find(cast.db, cast.permissions, cast.member("researcher"), request.id).state is State.DRAFT


def test_only_what_is_the_authors_turn_can_be_edited(cast: Cast) -> None:
    request, author = cast.draft(), cast.member("researcher")

    def edit(title: str, who: str = "researcher") -> access.Request:
        asked = cast.asked(title=title)
        return access.edit(
            cast.db, cast.keyring, cast.permissions, cast.policy, cast.member(who), request.id, asked, cast.dataset()
        )

    assert edit("Better").content.asked.title == "Better"
    with pytest.raises(Refused):
        edit("Steward's", "steward")
    access.submit(cast.db, cast.permissions, author, request.id, token=cast.tokens["researcher"])
    with pytest.raises(Refused) as no:
        edit("Too late")
    assert no.value.code == "access.not_editable"
    assert access.find(cast.db, cast.permissions, author, request.id).content.asked.title == "Better"


def test_a_request_whose_days_are_over_is_not_taken(cast: Cast) -> None:
    from datetime import date

    request = cast.draft(starts_on=date(2020, 1, 1), ends_on=date(2020, 1, 2))
    with pytest.raises(Refused) as no:
        cast.submit(request)
    assert no.value.code == "access.dates_past"
