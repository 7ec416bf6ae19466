"""Who may?

Cedar (cedarpolicy.com) is the only answer; code asks and obeys. Policies are validated against their schema when they
are loaded, the facts of each question are validated when it is asked, and whatever is neither a clean yes nor a clean no
is an error. A yes names the policy that gave it, a no gives its reason in words and whom to ask; both carry the digest
of the policies they were decided under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import cedarpy
from sqlalchemy import Engine

from domicile.wire.words import LANGUAGES, say
from enclave.audit import canonical
from enclave.errors import BadInput, Refused
from enclave.people.member import Member
from enclave.people.refusal import refusals_recorded
from enclave.people.roles import Role, RoleCard, load_roles

Facts = Mapping[str, str | Collection[str]]


class Action(StrEnum):
    """Everything a member can be allowed or refused."""

    PEOPLE_ADD = "people.add"
    PEOPLE_READ = "people.read"
    PEOPLE_RENEW = "people.renew"
    PEOPLE_REVOKE = "people.revoke"
    POLICY_SIGN = "policy.sign"
    INTAKE = "intake"
    DATASET_READ = "dataset.read"
    DATASET_RETIRE = "dataset.retire"
    DATASET_DESTROY = "dataset.destroy"
    REPORT_READ = "report.read"
    PROFILE_BUY = "profile.buy"
    REQUEST_CREATE = "request.create"
    REQUEST_READ = "request.read"
    REQUEST_EDIT = "request.edit"
    REQUEST_SUBMIT = "request.submit"
    REQUEST_WITHDRAW = "request.withdraw"
    REQUEST_APPROVE_STEWARD = "request.approve.steward"
    REQUEST_APPROVE_OFFICER = "request.approve.officer"
    REQUEST_RETURN = "request.return"
    REQUEST_REFUSE = "request.refuse"
    GRANT_READ = "grant.read"
    GRANT_SUSPEND = "grant.suspend"
    GRANT_RESUME = "grant.resume"
    GRANT_REVOKE = "grant.revoke"
    RUN_SUBMIT = "run.submit"
    RUN_READ = "run.read"
    RUN_CANCEL = "run.cancel"
    RUN_REVIEW = "run.review"
    OUTPUT_READ = "output.read"
    OUTPUT_DECIDE = "output.decide"
    OUTPUT_FETCH = "output.fetch"
    BUDGET_READ = "budget.read"
    BUDGET_ASK = "budget.ask"
    BUDGET_REFUSE = "budget.refuse"
    BUDGET_RAISE = "budget.raise"
    BUDGET_FREEZE = "budget.freeze"
    AUDIT_VERIFY = "audit.verify"
    AUDIT_SEARCH = "audit.search"
    SELFCHECK = "selfcheck"

    def words(self, lang: str) -> str:
        """The action as people say it."""
        return say(f"people.do_{self.value.replace('.', '_')}", lang)


_KINDS = {"request": "Request", "grant": "Grant", "run": "Run", "output": "Output", "budget": "Account"}
_OTHER = {
    Action.PEOPLE_RENEW: "Person",
    Action.PEOPLE_REVOKE: "Person",
    Action.DATASET_READ: "Dataset",
    Action.DATASET_RETIRE: "Dataset",
    Action.DATASET_DESTROY: "Dataset",
    Action.PROFILE_BUY: "Dataset",
    Action.REPORT_READ: "Dataset",
    Action.REQUEST_CREATE: "Home",
    Action.RUN_SUBMIT: "Project",
}
RESOURCES = {action: _OTHER.get(action) or _KINDS.get(action.split(".")[0], "Home") for action in Action}
"""What each action is done to: an entity type of the schema (which refuses any other)."""


@dataclass(frozen=True)
class Allowed:
    """A yes: which policy gave it, under which set of policies."""

    action: Action
    policy: str
    policy_digest: str

    def trace(self) -> dict[str, str]:
        """What belongs into the event of whatever was allowed."""
        return {"allowed_by": self.policy, "policy_digest": self.policy_digest}


@dataclass(frozen=True)
class _Rule:
    """What a policy says about itself."""

    id: str
    reason: str = ""
    reason_zh: str = ""

    def reason_in(self, lang: str) -> str:
        return self.reason_zh if lang == "zh" else self.reason


class NotPermitted(Refused):
    """A no of Cedar's. Its reason comes from a policy file, so it has facts of its own in each language."""

    def __init__(self, code: str, spoken: Mapping[str, Mapping[str, str]], **facts: str) -> None:
        super().__init__(code, **facts)
        self._spoken = spoken

    def words(self, lang: str = "en") -> str:
        return say(self.code, lang, **self.facts, **self._spoken[lang])


class Permissions:
    """One loaded set of policies. Immutable: another set is another object, with another digest."""

    def __init__(self, policies: str, schema: str, roles: Mapping[Role, RoleCard]) -> None:
        self.roles = roles
        self.digest = hashlib.sha256(canonical({"policies": policies, "schema": schema})).hexdigest()
        try:
            checked = cedarpy.validate_policies(policies, schema)
            if not checked.validation_passed:
                raise BadInput("people.policy_invalid", place=str(checked.errors[0].error))
            self._policies = cedarpy.PolicySet.from_str(policies)
            self._schema = cedarpy.Schema.from_str(schema)
            self._rules = _rules_of(policies)
        except ValueError as broken:
            raise BadInput("people.policy_invalid", place="permissions.cedar") from broken

    @classmethod
    def load(cls, folder: Path) -> Permissions:
        """The policies in `folder`: permissions.cedar, permissions.cedarschema, roles.toml."""
        roles = load_roles(folder / "roles.toml")
        try:
            policies = (folder / "permissions.cedar").read_text(encoding="utf-8")
            schema = (folder / "permissions.cedarschema").read_text(encoding="utf-8")
        except OSError as missing:
            raise BadInput("people.policy_missing", place="permissions.cedar") from missing
        return cls(policies, schema, roles)

    def check(self, member: Member, action: Action | str, facts: Facts | None = None) -> Allowed:
        """Allowed, or Refused in words. ValueError when the facts do not fit the schema: that is a bug, and never a yes."""
        action = Action(action)
        allowed, named = self._decide(member.id, member.roles, action, facts or {})
        if allowed:
            return Allowed(action, named[0].id, self.digest)
        raise self._refusal(member, action, facts or {}, named)

    def enforce(
        self, db: Engine, member: Member, action: Action | str, subject: str, facts: Facts | None = None
    ) -> Allowed:
        """`check`, with a no recorded as an event about `subject`."""
        with refusals_recorded(db, member.id, Action(action), subject):
            return self.check(member, action, facts)

    def may(self, member: Member, action: Action | str, facts: Facts | None = None) -> bool:
        """Would `check` say yes? For showing or hiding; doing asks `check` or `enforce`."""
        return self._decide(member.id, member.roles, Action(action), facts or {})[0]

    def who_may(self, action: Action | str, facts: Facts | None = None) -> tuple[Role, ...]:
        """The roles that would let somebody else do this."""
        action, facts = Action(action), facts or {}
        return tuple(role for role in Role if self._decide("", frozenset({role}), action, facts)[0])

    def _decide(self, login: str, roles: frozenset[Role], action: Action, facts: Facts) -> tuple[bool, list[_Rule]]:
        resource = {"type": RESOURCES[action], "id": "it"}
        request = {
            "principal": {"type": "Member", "id": login},
            "action": {"type": "Action", "id": action.value},
            "resource": resource,
            "context": {},
        }
        attributes = {name: fact if isinstance(fact, str) else sorted(set(fact)) for name, fact in facts.items()}
        parents = [{"type": "Role", "id": role.value} for role in sorted(roles)]
        entities: list[dict[str, Any]] = [
            {"uid": request["principal"], "attrs": {"login": login}, "parents": parents},
            {"uid": resource, "attrs": attributes, "parents": []},
        ]
        answer = cedarpy.is_authorized(request, self._policies, entities, self._schema)
        if answer.decision is cedarpy.Decision.NoDecision or answer.diagnostics.errors:
            raise ValueError(f"{action}: these facts cannot be decided: {answer.diagnostics.errors}")
        return answer.allowed, sorted((self._rules[name] for name in answer.diagnostics.reasons), key=lambda r: r.id)

    def _refusal(self, member: Member, action: Action, facts: Facts, named: list[_Rule]) -> NotPermitted:
        forbidden = named[0] if named else None
        ask = self.who_may(action, facts)
        code = "people.forbidden" if forbidden else "people.not_allowed"
        nobody = "people.ask_policy" if forbidden else "people.ask_owner"
        rule, spoken = forbidden.id if forbidden else "default-deny", {}
        for lang in LANGUAGES:
            spoken[lang] = {
                "act": action.words(lang),
                "roles": self._names(sorted(member.roles), lang),
                "reason": forbidden.reason_in(lang) if forbidden else "",
                "ask": self._names(ask, lang) or say(nobody, lang),
            }
        return NotPermitted(code, spoken, member=member.id, policy=rule, policy_digest=self.digest)

    def _names(self, roles: Collection[Role], lang: str) -> str:
        return say("people.or", lang).join(self.roles[role].name(lang) for role in roles)


def _rules_of(policies: str) -> dict[str, _Rule]:
    """Cedar's own policy names (policy0 …) → what each policy says about itself. BadInput when it says too little."""
    rules: dict[str, _Rule] = {}
    for name, body in json.loads(cedarpy.policies_to_json_str(policies))["staticPolicies"].items():
        notes = body.get("annotations", {})
        if "id" not in notes or notes["id"] in {rule.id for rule in rules.values()}:
            raise BadInput("people.policy_unnamed", place=notes.get("id", name))
        if body["effect"] == "forbid" and not {"reason", "reason_zh"} <= notes.keys():
            raise BadInput("people.policy_unexplained", place=notes["id"])
        rules[name] = _Rule(notes["id"], notes.get("reason", ""), notes.get("reason_zh", ""))
    return rules
