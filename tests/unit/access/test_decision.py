"""Approvers sign in order, each once; the last approval makes project and grant in one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, text, update

from enclave import access, people
from enclave.access import State, Verdict
from enclave.access.request import load
from enclave.access.tables import request_statements, requests
from enclave.errors import BadInput, NotFound, Refused, Tampered
from enclave.store import writing

if TYPE_CHECKING:
    from tests.conftest import Cast


def test_two_approvals_open_a_project_and_make_a_grant(cast: Cast) -> None:
    request = cast.granted(people=("researcher2",))
    assert request.state is State.GRANTED
    assert [(a.step, a.member) for a in request.approvals] == [("steward", "steward"), ("officer", "officer")]
    project = access.project_of(cast.db, request.id)
    assert project.members == ("researcher", "researcher2") and project.title == "Length of stay"
    kinds = [event["kind"] for event in cast.events("request.granted") + cast.events("grant.created")]
    assert kinds == ["request.granted", "grant.created"]
    signed = cast.events("request.granted")[0]["detail"]
    assert (signed["digest"], signed["step"]) == (request.content.digest, "officer")
    assert signed["signature"] == request.approvals[-1].signature
    assert signed["policy_digest"] == cast.permissions.digest


def test_a_higher_grade_needs_two_officers(cast: Cast) -> None:
    request = cast.approve(cast.approve(cast.submitted(grade=4), "steward"), "officer")
    assert request.state is State.APPROVED_IN_PART and request.next_step == "officer"
    with pytest.raises(NotFound):
        access.project_of(cast.db, request.id)
    with pytest.raises(Refused) as no:
        cast.approve(request, "officer")
    assert no.value.facts["policy"] == "two-people-approve"
    assert cast.approve(request, "officer2").state is State.GRANTED


def test_the_officer_waits_for_the_steward(cast: Cast) -> None:
    request = cast.submitted()
    with pytest.raises(Refused):
        cast.approve(request, "officer")
    with pytest.raises(Refused) as no:
        access.return_(
            cast.db, cast.keyring, cast.permissions, cast.member("officer"), request.id,
            token=cast.tokens["officer"], reason="Early.",
        )  # fmt: skip
    assert no.value.code == "access.not_your_turn"


@pytest.mark.parametrize("verb", [access.return_, access.refuse])
@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_turning_down_takes_a_written_reason(cast: Cast, verb: Callable[..., access.Request], reason: str) -> None:
    request, steward, token = cast.submitted(), cast.member("steward"), cast.tokens["steward"]
    with pytest.raises(BadInput) as no:
        verb(cast.db, cast.keyring, cast.permissions, steward, request.id, token=token, reason=reason)
    assert no.value.code == "access.reason_missing"
    assert load(cast.db, request.id) == request


def test_a_returned_request_starts_again_and_old_approvals_do_not_count(cast: Cast) -> None:
    request = cast.approve(cast.submitted(), "steward")
    returned = access.return_(
        cast.db, cast.keyring, cast.permissions, cast.member("officer"), request.id,
        token=cast.tokens["officer"], reason="Which departments?",
    )  # fmt: skip
    assert returned.statements[-1].verdict is Verdict.RETURNED
    assert returned.statements[-1].reason == "Which departments?"
    again = cast.submit(returned)
    assert (again.round, again.approvals) == (2, ())
    with pytest.raises(Refused):
        cast.approve(again, "officer")
    assert cast.approve(cast.approve(again, "steward"), "officer").state is State.GRANTED


def test_an_approver_needs_their_own_token(cast: Cast) -> None:
    request, steward = cast.submitted(), cast.member("steward")
    with pytest.raises(Refused) as no:
        access.approve(cast.db, cast.keyring, cast.permissions, steward, request.id, token=cast.tokens["steward2"])
    assert no.value.code == "people.token_not_theirs"
    assert load(cast.db, request.id).state is State.SUBMITTED


def test_what_was_altered_since_it_was_signed_is_not_approved(cast: Cast) -> None:
    request = cast.submitted()
    with writing(cast.db) as connection:
        altered = request.content.text().replace('"epsilon_project":"3.0"', '"epsilon_project":"9.0"')
        connection.execute(update(requests).where(requests.c.id == request.id).values(content=altered))
    with pytest.raises(Tampered) as no:
        cast.approve(request, "steward")
    assert no.value.code == "access.request_altered"
    assert cast.events("access.refused")[-1]["detail"]["code"] == "access.request_altered"


def test_a_missing_first_approval_is_not_stepped_over(cast: Cast) -> None:
    request = cast.approve(cast.submitted(), "steward")
    with writing(cast.db) as connection:
        connection.execute(delete(request_statements).where(request_statements.c.position == 1))
    with pytest.raises(Refused):
        cast.approve(request, "officer")
    assert load(cast.db, request.id).state is State.APPROVED_IN_PART


def test_if_the_grant_cannot_be_made_the_approval_was_not_given(cast: Cast) -> None:
    request = cast.approve(cast.submitted(), "steward")
    with writing(cast.db) as connection:
        connection.execute(text("CREATE TRIGGER no BEFORE INSERT ON grants BEGIN SELECT RAISE(ABORT, 'no'); END"))
    with pytest.raises(Exception, match="no"):
        cast.approve(request, "officer")
    assert load(cast.db, request.id) == request
    with pytest.raises(NotFound):
        access.project_of(cast.db, request.id)
    assert not cast.events("request.granted") and not cast.events("project.opened")


def test_a_signature_outlives_the_key_that_made_it(cast: Cast) -> None:
    request = cast.approve(cast.submitted(), "steward")
    operator = cast.member("operator")
    people.revoke(cast.db, cast.keyring, cast.permissions, operator, "steward")
    cast.tokens["steward"] = people.renew(cast.db, cast.keyring, cast.permissions, operator, "steward")
    project = cast.project(cast.approve(request, "officer"))
    granted = access.check(cast.db, cast.keyring, project=project, member="researcher", dataset="hospital")
    assert granted.approvals[0].public_key != cast.member("steward").public_key


def test_an_approver_whose_account_ended_meanwhile_approves_nothing(cast: Cast) -> None:
    request, steward = cast.submitted(), cast.member("steward")
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "steward")
    with pytest.raises(Refused) as no:
        access.approve(cast.db, cast.keyring, cast.permissions, steward, request.id, token=cast.tokens["steward"])
    assert no.value.code == "access.account_ended"
    assert load(cast.db, request.id) == request
