"""Whose notebooks does a person read before they run? `policies/run.toml` as one frozen value."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from enclave.errors import BadInput

GRADES = (1, 2, 3, 4, 5)
T = TypeVar("T", int, str)


@dataclass(frozen=True)
class RunPolicy:
    """Grades, datasets and projects whose notebooks are read first; the digest goes into what was decided under it."""

    grades: frozenset[int]
    datasets: frozenset[str]
    projects: frozenset[str]
    digest: str

    def asks(self, project: str, dataset: str, grade: int) -> str:
        """The digest of this policy when a person must read the notebook first; "" when nobody must."""
        asked = grade in self.grades or dataset in self.datasets or project in self.projects
        return self.digest if asked else ""

    @classmethod
    def load(cls, folder: Path) -> RunPolicy:
        """The policy in `folder`/run.toml; BadInput when it is missing or says anything else than it may."""
        try:
            raw = (folder / "run.toml").read_bytes()
            body = tomllib.loads(raw.decode())
            said = body["code_review"]
            found = cls(
                frozenset(_all(int, said["grades"])),
                frozenset(_all(str, said["datasets"])),
                frozenset(_all(str, said["projects"])),
                hashlib.sha256(raw).hexdigest(),
            )
        except (OSError, ValueError, KeyError, TypeError) as broken:
            raise BadInput("run.policy_invalid", place="run.toml") from broken
        if set(body) != {"code_review"} or set(said) != {"grades", "datasets", "projects"}:
            raise BadInput("run.policy_invalid", place="run.toml")  # a misspelt key would ask for nothing
        if not found.grades <= set(GRADES):
            raise BadInput("run.policy_invalid", place="code_review.grades")
        return found


def _all(kind: type[T], values: object) -> list[T]:
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise TypeError(values)
    return values
