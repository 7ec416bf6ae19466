"""Who must approve what, for how long at most: `policies/access.toml` as one frozen value."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import BadInput
from enclave.people import Role

GRADES = (1, 2, 3, 4, 5)
APPROVERS = frozenset({Role.STEWARD, Role.OFFICER})
"""The roles that have an approving action in `permissions.cedar`."""


@dataclass(frozen=True)
class AccessPolicy:
    """The approvals each grade needs, in order (none: the grade is closed), and the limits of a request."""

    steps: Mapping[int, tuple[Role, ...]]
    longest_days: int
    lanes: tuple[str, ...]
    digest: str

    def __post_init__(self) -> None:
        if sorted(self.steps) != list(GRADES):
            raise BadInput("access.policy_invalid", place="approvals: grades 1 to 5")
        for grade, steps in self.steps.items():
            # One approval alone would make the approver the only judge; a grade is closed or has two at least.
            if len(steps) == 1 or not set(steps) <= APPROVERS:
                raise BadInput("access.policy_invalid", place=f"approvals.{grade}")
        if self.longest_days < 1 or not self.lanes:
            raise BadInput("access.policy_invalid", place="request")

    @classmethod
    def load(cls, folder: Path) -> AccessPolicy:
        """The policy in `folder`/access.toml."""
        try:
            raw = (folder / "access.toml").read_bytes()
            body = tomllib.loads(raw.decode())
            steps = {int(grade): tuple(map(Role, names)) for grade, names in body["approvals"].items()}
            limits = body["request"]
            days, lanes = int(limits["longest_days"]), tuple(map(str, limits["lanes"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
            raise BadInput("access.policy_invalid", place="access.toml") from broken
        return cls(steps, days, lanes, hashlib.sha256(raw).hexdigest())
