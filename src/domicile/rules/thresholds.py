"""At which figures do the rules bite? Defaults here; a site's own figures come with `describe` (design §5)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

VERSION: Final = 3
"""Of the rules themselves: raised whenever a rule would judge some output differently than before."""


@dataclass(frozen=True)
class Thresholds:
    """The figures of the disclosure rules; every one a positive whole number."""

    max_rows: int = 5_000
    max_columns: int = 200
    max_bytes: int = 16 * 1024 * 1024
    max_text: int = 20_000
    max_cell: int = 200
    max_title: int = 200
    max_context: int = 2_000
    max_answers: int = 1_000
    max_colours: int = 20
    max_places: int = 20
    """How many findings one rule names in one output; more are counted, not listed."""

    def __post_init__(self) -> None:
        for name, value in self.as_dict().items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"threshold {name} must be a whole number of at least 1")

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Thresholds:
        """From a mapping (a policy file, a dataset card); ValueError for a name the rules do not have."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(figures) - known)
        if unknown:
            raise ValueError(f"no such threshold: {', '.join(unknown)}")
        return cls(**figures)

    def as_dict(self) -> dict[str, int]:
        return dataclasses.asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 over the figures, sorted by name."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def thresholds() -> Thresholds:
    """The defaults."""
    return Thresholds()
