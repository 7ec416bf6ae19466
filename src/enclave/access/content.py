"""What exactly is asked, and so what exactly do people sign?

`Asked` is what a researcher writes; `Content` adds what the home knows (author, grade, approvals needed, instants). The
digest of the content is what author and approvers sign: change one letter of it and no signature holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from enclave.access.policy import AccessPolicy
from enclave.audit import canonical
from enclave.catalogue.dataset import Dataset
from enclave.errors import BadInput, Refused
from enclave.people import Role

_EPSILON = re.compile(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?")
_LONGEST_TEXT = {"title": 200, "purpose": 4000, "legal_basis": 2000}
_MOST_PEOPLE = 100


@dataclass(frozen=True)
class Asked:
    """A researcher's wish. No tables: all of them; no variables: all of the tables asked. ε are decimal texts."""

    title: str
    purpose: str
    legal_basis: str
    dataset: str
    epsilon_project: str
    epsilon_researcher: str
    starts_on: date
    ends_on: date
    people: tuple[str, ...] = ()
    version: int | None = None
    """None: whichever version is current when it is used."""
    tables: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    """`table.column` each."""
    lane: str = "dp"
    pure: bool = False
    """The project's budget is counted in pure ε: Laplace noise, no δ, and so no unlisted keys."""

    def __post_init__(self) -> None:
        for name, longest in _LONGEST_TEXT.items():
            if not 1 <= len(getattr(self, name).strip()) <= longest:
                raise BadInput("access.text_length", place=name, longest=longest)
        if type(self.pure) is not bool:
            raise BadInput("access.pure_malformed", place="pure")
        for name in ("epsilon_project", "epsilon_researcher"):
            text = getattr(self, name)
            if not _EPSILON.fullmatch(text) or not Decimal(text):
                raise BadInput("access.epsilon_malformed", place=name)
        if Decimal(self.epsilon_researcher) > Decimal(self.epsilon_project):
            raise BadInput("access.epsilon_order", place="epsilon_researcher")
        if self.ends_on < self.starts_on:
            raise BadInput("access.dates_order", place="ends_on")
        for name in ("people", "tables", "variables"):
            listed = getattr(self, name)
            if len(set(listed)) != len(listed):
                raise BadInput("access.listed_twice", place=name)
        if len(self.people) > _MOST_PEOPLE:
            raise BadInput("access.too_many_people", place="people", most=_MOST_PEOPLE)

    def check_fits(self, dataset: Dataset, policy: AccessPolicy) -> None:
        """BadInput or Refused when dataset or policy cannot give what is asked."""
        if dataset.name != self.dataset or self.version not in (None, dataset.version):
            raise BadInput("access.other_dataset", place="dataset", asked=self.dataset, found=dataset.name)
        if not policy.steps[dataset.grade]:
            raise Refused("access.grade_closed", place="dataset", dataset=dataset.name, grade=dataset.grade)
        if dataset.openness == "closed":
            raise Refused("access.dataset_closed", place="dataset", dataset=dataset.name)
        if self.lane not in policy.lanes:
            raise BadInput("access.lane_unknown", place="lane", lanes=", ".join(policy.lanes))
        if (self.ends_on - self.starts_on).days >= policy.longest_days:
            raise BadInput("access.too_long", place="ends_on", longest=policy.longest_days)
        for name in self.tables:
            if dataset.table(name) is None:
                raise BadInput("access.no_table", place="tables", dataset=dataset.name)
        for name in self.variables:
            table = dataset.table(name.partition(".")[0])
            inside = not self.tables or name.partition(".")[0] in self.tables
            if not inside or table is None or table.column(name.partition(".")[2]) is None:
                raise BadInput("access.no_variable", place="variables", dataset=dataset.name)


@dataclass(frozen=True)
class Content:
    """Everything that is signed about a request."""

    request: str
    author: str
    asked: Asked
    grade: int
    steps: tuple[Role, ...]
    starts_at: str
    ends_at: str
    policy_digest: str

    @property
    def members(self) -> frozenset[str]:
        """Who works in the project: the author and the people named."""
        return frozenset({self.author, *self.asked.people})

    def text(self) -> str:
        """The one spelling that is stored and signed."""
        asked: dict[str, Any] = {**self.asked.__dict__}
        asked |= {"starts_on": str(self.asked.starts_on), "ends_on": str(self.asked.ends_on)}
        if not self.asked.pure:  # as it was spelled, and signed, before there was another measure
            del asked["pure"]
        return canonical({"kind": "domicile.request/1", **self.__dict__, "asked": asked}).decode()

    @property
    def digest(self) -> str:
        """SHA-256 of the spelling, in hex."""
        return _digest_of(self)


@lru_cache(maxsize=1024)
def _digest_of(content: Content) -> str:
    """A function of frozen values alone: asked several times at every question of a run."""
    return hashlib.sha256(content.text().encode()).hexdigest()


def _midnight(day: date) -> str:
    """The instant (UTC) at which `day` begins where the home stands."""
    return datetime.combine(day, time.min).astimezone().astimezone(UTC).isoformat(timespec="microseconds")


def content_for(request: str, author: str, asked: Asked, dataset: Dataset, policy: AccessPolicy) -> Content:
    """What will be signed; BadInput or Refused when it cannot be given."""
    asked.check_fits(dataset, policy)
    instants = _midnight(asked.starts_on), _midnight(asked.ends_on + timedelta(days=1))
    return Content(request, author, asked, dataset.grade, policy.steps[dataset.grade], *instants, policy.digest)


@lru_cache(maxsize=1024)
def content_of(text: str) -> Content:
    """The content a stored text spells; ValueError when it spells none, or spells it in another way.

    A function of its argument alone, so remembering it hides no change in the database."""
    try:
        body = json.loads(text)
        asked = body["asked"]
        for name in ("people", "tables", "variables"):
            asked[name] = tuple(asked[name])
        for name in ("starts_on", "ends_on"):
            asked[name] = date.fromisoformat(asked[name])
        steps = tuple(map(Role, body["steps"]))
        fixed = {name: body[name] for name in ("request", "author", "grade", "starts_at", "ends_at", "policy_digest")}
        content = Content(asked=Asked(**asked), steps=steps, **fixed)
    except (ValueError, KeyError, TypeError, AttributeError, BadInput) as broken:
        raise ValueError("this spells no request") from broken
    if content.text() != text:
        raise ValueError("this spells a request in another way than it was signed")
    return content
