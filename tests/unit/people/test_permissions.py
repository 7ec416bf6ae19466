"""Who may: every role × action, the closed door first."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from enclave.errors import BadInput, Refused
from enclave.people import Action, Member, Permissions, Role
from enclave.people.permissions import RESOURCES

if TYPE_CHECKING:
    from tests.conftest import Cast

POLICIES = Path(__file__).parents[3] / "policies"

STRANGER: dict[str, dict[str, str | list[str]]] = {
    "Home": {},
    "Dataset": {},
    "Person": {"login": "somebody"},
    "Request": {"author": "somebody", "people": ["else"], "approvers": []},
    "Project": {"members": ["somebody"]},
    "Grant": {"author": "somebody", "members": ["somebody"]},
    "Run": {"owner": "somebody", "members": ["somebody"]},
    "Output": {"owner": "somebody", "members": ["somebody"]},
    "Account": {"members": ["somebody"]},
}
"""Facts about a thing in which `me` has no part."""

MINE: dict[str, dict[str, str | list[str]]] = {
    "Home": {},
    "Dataset": {},
    "Person": {"login": "me"},
    "Request": {"author": "me", "people": [], "approvers": []},
    "Project": {"members": ["me"]},
    "Grant": {"author": "me", "members": ["me"]},
    "Run": {"owner": "me", "members": ["me"]},
    "Output": {"owner": "me", "members": ["me"]},
    "Account": {"members": ["me"]},
}
"""Facts about a thing that is `me`'s own matter."""

ALL = set(Role)
OF_OTHERS: dict[Action, set[str]] = {
    Action.PEOPLE_ADD: {"operator"},
    Action.PEOPLE_READ: {"operator", "officer", "auditor"},
    Action.PEOPLE_RENEW: {"operator"},
    Action.PEOPLE_REVOKE: {"operator"},
    Action.POLICY_SIGN: {"officer"},
    Action.INTAKE: {"steward"},
    Action.DATASET_READ: {*ALL},
    Action.REPORT_READ: {"steward", "auditor"},
    Action.DATASET_RETIRE: {"steward"},
    Action.DATASET_DESTROY: {"steward"},
    Action.PROFILE_BUY: {"steward"},
    Action.REQUEST_CREATE: {"researcher"},
    Action.REQUEST_READ: {"steward", "officer", "auditor"},
    Action.REQUEST_EDIT: set(),
    Action.REQUEST_SUBMIT: set(),
    Action.REQUEST_WITHDRAW: set(),
    Action.REQUEST_APPROVE_STEWARD: {"steward"},
    Action.REQUEST_APPROVE_OFFICER: {"officer"},
    Action.REQUEST_RETURN: {"steward", "officer"},
    Action.REQUEST_REFUSE: {"steward", "officer"},
    Action.GRANT_READ: {"steward", "officer", "auditor"},
    Action.GRANT_SUSPEND: {"steward", "officer"},
    Action.GRANT_RESUME: {"officer"},
    Action.GRANT_REVOKE: {"steward", "officer"},
    Action.RUN_SUBMIT: set(),
    Action.RUN_READ: {"steward", "checker"},
    Action.RUN_CANCEL: {"operator"},
    Action.RUN_REVIEW: {"steward", "checker"},
    Action.OUTPUT_READ: {"steward", "checker"},
    Action.OUTPUT_DECIDE: {"steward", "checker"},
    Action.OUTPUT_FETCH: set(),
    Action.BUDGET_READ: {"steward", "officer", "auditor"},
    Action.BUDGET_ASK: set(),
    Action.BUDGET_REFUSE: {"officer"},
    Action.BUDGET_RAISE: {"officer"},
    Action.BUDGET_FREEZE: {"officer"},
    Action.AUDIT_VERIFY: {"operator", "officer", "auditor"},
    Action.AUDIT_SEARCH: {"officer", "auditor"},
    Action.SELFCHECK: {"operator", "auditor"},
}
"""Who may, when the thing is somebody else's. Written out by hand: the policies are tested against it, not read for it."""

OF_ONES_OWN: dict[Action, set[str]] = {
    **OF_OTHERS,
    Action.PEOPLE_RENEW: {*ALL},
    Action.PEOPLE_REVOKE: {*ALL},
    Action.REQUEST_READ: {*ALL},
    Action.REQUEST_EDIT: {"researcher"},
    Action.REQUEST_SUBMIT: {"researcher"},
    Action.REQUEST_WITHDRAW: {*ALL},
    Action.REQUEST_APPROVE_STEWARD: set(),
    Action.REQUEST_APPROVE_OFFICER: set(),
    Action.REQUEST_RETURN: set(),
    Action.REQUEST_REFUSE: set(),
    Action.GRANT_READ: {*ALL},
    Action.GRANT_RESUME: set(),
    Action.RUN_SUBMIT: {"researcher"},
    Action.RUN_READ: {*ALL},
    Action.RUN_CANCEL: {*ALL},
    Action.RUN_REVIEW: set(),
    Action.OUTPUT_READ: {*ALL},
    Action.OUTPUT_DECIDE: set(),
    Action.OUTPUT_FETCH: {*ALL},
    Action.BUDGET_READ: {*ALL},
    Action.BUDGET_ASK: {"researcher"},
    Action.BUDGET_RAISE: set(),
}
"""Who may, when the thing is their own."""


@pytest.fixture(scope="module")
def permissions() -> Permissions:
    return Permissions.load(POLICIES)


def me(*roles: Role) -> Member:
    return Member("me", "Me", frozenset(roles), "", "", b"", "")


@pytest.mark.parametrize("action", Action)
def test_without_a_role_only_ones_own_matters_are_open(permissions: Permissions, action: Action) -> None:
    assert permissions.may(me(), action, STRANGER[RESOURCES[action]]) == (action is Action.DATASET_READ)


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_each_role_may_do_to_others_things_only_what_the_table_says(
    permissions: Permissions, role: Role, action: Action
) -> None:
    assert permissions.may(me(role), action, STRANGER[RESOURCES[action]]) == (role in OF_OTHERS[action])


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_each_role_may_do_to_its_own_things_only_what_the_table_says(
    permissions: Permissions, role: Role, action: Action
) -> None:
    assert permissions.may(me(role), action, MINE[RESOURCES[action]]) == (role in OF_ONES_OWN[action])


def test_who_is_named_in_a_request_decides_it_no_more_than_its_author(permissions: Permissions) -> None:
    named = {"author": "somebody", "people": ["me"], "approvers": []}
    everything = me(Role.STEWARD, Role.OFFICER)
    for action in OF_OTHERS:
        if action.startswith(("request.approve", "request.return", "request.refuse")):
            assert not permissions.may(everything, action, named)


def test_one_person_with_both_roles_gives_one_approval_only(permissions: Permissions) -> None:
    both = me(Role.STEWARD, Role.OFFICER)
    fresh = {"author": "somebody", "people": [], "approvers": []}
    assert permissions.may(both, Action.REQUEST_APPROVE_OFFICER, fresh)
    with pytest.raises(Refused) as no:
        permissions.check(both, Action.REQUEST_APPROVE_OFFICER, {**fresh, "approvers": ["me"]})
    assert no.value.facts["policy"] == "two-people-approve"


def test_a_yes_names_its_policy_and_the_digest_of_all(permissions: Permissions) -> None:
    yes = permissions.check(me(Role.OPERATOR), "people.add")
    assert yes.trace() == {"allowed_by": "operator-keeps-accounts", "policy_digest": permissions.digest}


@pytest.mark.parametrize(("lang", "who"), [("en", "operator"), ("zh", "运维员")])
def test_a_no_says_what_why_and_whom_to_ask(permissions: Permissions, lang: str, who: str) -> None:
    with pytest.raises(Refused) as no:
        permissions.check(me(Role.RESEARCHER), Action.PEOPLE_ADD)
    words = no.value.words(lang)
    assert who in words and Action.PEOPLE_ADD.words(lang) in words and "me" in words
    assert no.value.facts["policy"] == "default-deny"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_forbidding_policy_speaks_for_itself(permissions: Permissions, lang: str) -> None:
    with pytest.raises(Refused) as no:
        permissions.check(me(Role.STEWARD), Action.REQUEST_APPROVE_STEWARD, MINE["Request"])
    assert no.value.facts["policy"] == "no-one-decides-their-own-request"
    assert {"en": "nobody decides their own matter", "zh": "不得决定与本人有关的事项"}[lang] in no.value.words(lang)
    assert {"en": "data steward", "zh": "数据管理员"}[lang] in no.value.words(lang)


@pytest.mark.parametrize(
    "facts",
    [{}, {"author": "somebody"}, {"author": "me", "people": "x", "approvers": []}, {**MINE["Request"], "x": "y"}],
)
def test_facts_that_do_not_fit_the_schema_are_an_error_and_never_a_yes(
    permissions: Permissions, facts: dict[str, str | list[str]]
) -> None:
    with pytest.raises(ValueError, match="cannot be decided"):
        permissions.check(me(*Role), Action.REQUEST_APPROVE_STEWARD, facts)


def test_an_action_nobody_declared_is_an_error(permissions: Permissions) -> None:
    with pytest.raises(ValueError, match="not a valid Action"):
        permissions.check(me(*Role), "everything")


def test_a_refusal_that_is_enforced_is_an_event(cast: Cast) -> None:
    with pytest.raises(Refused):
        cast.permissions.enforce(cast.db, cast.member("researcher"), Action.INTAKE, "hospital")
    (event,) = cast.events("access.refused")
    assert (event["actor"], event["subject"]) == ("researcher", "hospital")
    assert event["detail"]["attempt"] == "intake"
    assert event["detail"]["policy_digest"] == cast.permissions.digest


def test_the_schema_knows_exactly_our_actions_roles_and_resources(permissions: Permissions) -> None:
    for action in Action:  # undeclared actions, roles or resources would be undecidable
        permissions.check(me(), Action.DATASET_READ)
        permissions.may(me(*Role), action, STRANGER[RESOURCES[action]])
        assert action.words("en") and action.words("zh")
    declared = (POLICIES / "permissions.cedarschema").read_text()
    assert {word for word in declared.split('"') if "." in word and " " not in word} <= set(Action)


BROKEN = {
    "people.policy_invalid": 'permit (principal in Role::"emperor", action, resource);',
    "people.policy_unnamed": "permit (principal, action, resource);",
    "people.policy_unexplained": '@id("no") forbid (principal, action, resource);',
}


@pytest.mark.parametrize(("code", "policy"), list(BROKEN.items()))
def test_policies_that_do_not_hold_are_refused_whole(permissions: Permissions, code: str, policy: str) -> None:
    schema = (POLICIES / "permissions.cedarschema").read_text()
    good = (POLICIES / "permissions.cedar").read_text()
    with pytest.raises(BadInput) as no:
        Permissions(good + policy, schema, permissions.roles)
    assert no.value.code == code


@pytest.mark.parametrize("text", ["permit (", 'permit (principal, action == Action::"fly", resource);'])
def test_policies_that_do_not_parse_or_name_unknown_actions_are_refused(permissions: Permissions, text: str) -> None:
    with pytest.raises(BadInput):
        Permissions(text, (POLICIES / "permissions.cedarschema").read_text(), permissions.roles)


def test_two_policies_of_one_name_are_refused(permissions: Permissions) -> None:
    twice = '@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);'
    with pytest.raises(BadInput):
        Permissions(twice, (POLICIES / "permissions.cedarschema").read_text(), permissions.roles)


def test_another_policy_has_another_digest(permissions: Permissions) -> None:
    schema, good = (POLICIES / "permissions.cedarschema").read_text(), (POLICIES / "permissions.cedar").read_text()
    assert Permissions(good, schema, permissions.roles).digest == permissions.digest
    assert Permissions(good + "\n", schema, permissions.roles).digest != permissions.digest


def test_no_policies_no_permissions(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Permissions.load(tmp_path)
    (tmp_path / "roles.toml").write_bytes((POLICIES / "roles.toml").read_bytes())
    with pytest.raises(BadInput) as no:
        Permissions.load(tmp_path)
    assert no.value.code == "people.policy_missing"
