"""A grant answers who, what and until when; whatever else is asked of it is refused in words, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enclave import access, people
from enclave.access.grant import EVENTS, MOVES, OWNERS, Grant, Owner, Standing
from enclave.audit import KINDS
from enclave.errors import BadInput, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Cast

FAR = "2099-01-01T00:00:00.000000+00:00"
LONG_AGO = "2001-01-01T00:00:00.000000+00:00"


def check(cast: Cast, project: str, **changes: Any) -> Grant:
    asked: dict[str, Any] = {"project": project, "member": "researcher", "dataset": "hospital", **changes}
    return access.check(cast.db, cast.keyring, **asked)


def test_a_grant_says_all_that_was_approved(cast: Cast) -> None:
    request = cast.granted(people=("researcher2",), tables=("visits",), version=1)
    grant = check(cast, cast.project(request))
    asked = request.content.asked
    assert (grant.dataset, grant.version, grant.lane, grant.tables) == ("hospital", 1, "dp", ("visits",))
    assert (grant.epsilon_project, grant.epsilon_researcher) == (asked.epsilon_project, asked.epsilon_researcher)
    assert grant.members == {"researcher", "researcher2"} and grant.author == "researcher"
    assert grant.ends_at == request.content.ends_at and grant.digest == request.content.digest
    assert [a.member for a in grant.approvals] == ["steward", "officer"]
    assert check(cast, grant.project, member=cast.member("researcher2")) == grant


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"member": "everything"}, "access.no_grant"),
    ({"member": "steward"}, "access.no_grant"),
    ({"project": "prj_none"}, "access.no_grant"),
    ({"dataset": "other"}, "access.grant_other_dataset"),
    ({"at": FAR}, "access.grant_expired"),
    ({"at": LONG_AGO}, "access.grant_not_started"),
]


@pytest.mark.parametrize(("change", "code"), REFUSED)
def test_what_was_not_granted_is_refused_and_recorded(cast: Cast, change: dict[str, Any], code: str) -> None:
    project = cast.project(cast.granted())
    with pytest.raises((Refused, NotFound)) as no:
        check(cast, **{"project": project, **change})
    assert no.value.code == code
    event = cast.events("access.refused")[-1]
    assert (event["actor"], event["detail"]["code"]) == (change.get("member", "researcher"), code)


def test_a_request_that_is_not_granted_is_no_grant(cast: Cast) -> None:
    cast.approve(cast.submitted(), "steward")
    assert access.all_projects(cast.db) == ()
    assert access.projects_of(cast.db, "researcher") == ()


def test_suspended_resumed_revoked(cast: Cast) -> None:
    project, officer = cast.project(cast.granted()), cast.member("officer")
    steps: list[tuple[Callable[..., Grant], str | None]] = [
        (access.suspend, "access.grant_suspended"),
        (access.resume, None),
        (access.revoke, "access.grant_revoked"),
    ]
    for verb, code in steps:
        verb(cast.db, cast.keyring, cast.permissions, officer, project, reason="Because.")
        if code is None:
            check(cast, project)
        else:
            with pytest.raises(Refused) as no:
                check(cast, project)
            assert no.value.code == code
    kinds = [cast.events(f"grant.{k}")[0]["detail"]["reason"] for k in ("suspended", "resumed", "revoked")]
    assert kinds == ["Because."] * 3


VERBS = {Standing.SUSPENDED: access.suspend, Standing.ACTIVE: access.resume, Standing.REVOKED: access.revoke}
MAY = {
    Standing.SUSPENDED: {"steward", "officer", "both", "everything"},
    Standing.ACTIVE: {"officer", "both", "everything"},
    Standing.REVOKED: {"steward", "officer", "both", "everything"},
}
EVERYBODY = ("operator", "steward", "officer", "researcher", "checker", "auditor", "both", "everything")


@pytest.mark.parametrize("here", Standing)
def test_every_standing_by_every_verb_by_every_role(cast: Cast, here: Standing) -> None:
    project, officer = cast.project(cast.granted()), cast.member("officer")

    def bring_to(state: Standing) -> None:
        if state is Standing.EXPIRED:
            access.expire_due(cast.db, cast.keyring, at=FAR)
        elif state is not Standing.ACTIVE:
            VERBS[state](cast.db, cast.keyring, cast.permissions, officer, project, reason="Set up.")

    bring_to(here)
    for to, verb in VERBS.items():
        for name in EVERYBODY:
            state = access.find_grant(cast.db, cast.keyring, cast.permissions, officer, project).state
            if state is not here:  # the last try went through: make another project and go on from there
                project = cast.project(cast.granted())
                bring_to(here)
            if to in MOVES[here] and name in MAY[to]:
                assert (
                    verb(cast.db, cast.keyring, cast.permissions, cast.member(name), project, reason="R.").state is to
                )
            else:
                with pytest.raises((Refused, NotFound)):
                    verb(cast.db, cast.keyring, cast.permissions, cast.member(name), project, reason="R.")


def test_a_standing_changes_only_with_a_reason(cast: Cast) -> None:
    project = cast.project(cast.granted())
    with pytest.raises(BadInput):
        access.suspend(cast.db, cast.keyring, cast.permissions, cast.member("officer"), project, reason=" ")
    check(cast, project)


def test_who_works_under_a_grant_does_not_resume_it(cast: Cast) -> None:
    request = cast.approve(cast.approve(cast.submitted("everything"), "steward"), "officer")
    project = cast.project(request)
    access.suspend(cast.db, cast.keyring, cast.permissions, cast.member("officer"), project, reason="Look.")
    with pytest.raises(Refused) as no:
        access.resume(cast.db, cast.keyring, cast.permissions, cast.member("everything"), project, reason="Mine.")
    assert no.value.facts["policy"] == "no-one-resumes-their-own-grant"


def test_what_is_due_expires_once(cast: Cast) -> None:
    project = cast.project(cast.granted())
    assert access.expire_due(cast.db, cast.keyring) == ()
    assert access.expire_due(cast.db, cast.keyring, at=FAR) == (project,)
    assert access.expire_due(cast.db, cast.keyring, at=FAR) == ()
    assert cast.events("grant.expired")[0]["actor"] == "system"
    with pytest.raises(Refused) as no:
        check(cast, project)
    assert no.value.code == "access.grant_expired"


def test_the_machine_is_total_and_its_ends_are_nobodys() -> None:
    assert set(MOVES) == set(OWNERS) == set(EVENTS) == set(Standing)
    assert {s for s in Standing if not MOVES[s]} == {s for s in Standing if OWNERS[s] is Owner.NOBODY}
    assert set(EVENTS.values()) <= set(KINDS)


def test_who_lost_their_account_uses_no_grant_and_their_colleagues_go_on(cast: Cast) -> None:
    project = cast.project(cast.granted(people=("researcher2",)))
    people.revoke(cast.db, cast.keyring, cast.permissions, cast.member("operator"), "researcher")
    with pytest.raises(Refused) as no:
        check(cast, project)
    assert no.value.code == "access.account_ended"
    check(cast, project, member="researcher2")


def test_a_grant_covers_its_version_up_to_its_grade(cast: Cast) -> None:
    any_version = check(cast, cast.project(cast.granted()))
    any_version.check_covers(cast.dataset(version=7))
    with pytest.raises(Refused) as no:
        any_version.check_covers(cast.dataset(version=7, grade=4))
    assert no.value.code == "access.grant_grade"
    assert check(cast, any_version.project, dataset=cast.dataset(version=7)) == any_version
    with pytest.raises(Refused) as no:
        check(cast, any_version.project, dataset=cast.dataset(version=7, grade=4))
    assert no.value.code == "access.grant_grade"
    assert cast.events("access.refused")[-1]["detail"]["code"] == "access.grant_grade"
    pinned = check(cast, cast.project(cast.granted(version=1)))
    pinned.check_covers(cast.dataset())
    with pytest.raises(Refused) as no:
        pinned.check_covers(cast.dataset(version=2))
    assert no.value.code == "access.grant_other_version"


def test_a_grant_covers_its_tables_and_variables(cast: Cast) -> None:
    everything = check(cast, cast.project(cast.granted()))
    everything.check_uses(["visits", "patients"], ["visits.dept"])
    some = check(cast, cast.project(cast.granted(tables=("visits",), variables=("visits.dept",))))
    some.check_uses(["visits"], ["visits.dept"])
    for tables, variables in ((["patients"], []), (["visits"], ["visits.los_days"])):
        with pytest.raises(Refused):
            some.check_uses(tables, variables)


def test_grants_are_listed_for_those_they_concern(cast: Cast) -> None:
    project = cast.project(cast.granted())
    for name, seen in (("researcher", [project]), ("auditor", [project]), ("researcher2", []), ("operator", [])):
        found = access.grant.listing(cast.db, cast.keyring, cast.permissions, cast.member(name))
        assert [grant.project for grant in found] == seen
    with pytest.raises(NotFound):
        access.find_grant(cast.db, cast.keyring, cast.permissions, cast.member("researcher2"), project)


def test_projects_are_found_by_member_and_by_id(cast: Cast) -> None:
    first, second = cast.project(cast.granted()), cast.project(cast.granted(people=("researcher2",)))
    assert [p.id for p in access.projects_of(cast.db, "researcher")] == [first, second]
    assert [p.id for p in access.projects_of(cast.db, "researcher2")] == [second]
    assert access.find_project(cast.db, second).members == ("researcher", "researcher2")
    with pytest.raises(NotFound):
        access.find_project(cast.db, "prj_none")
