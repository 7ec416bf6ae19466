"""What is one thing that a preset does not allow?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domicile.wire.words import say


@dataclass(frozen=True)
class Violation:
    """`code` is of `graded.toml`: a sentence that names the column and says what to do."""

    code: str
    rule: str
    """The preset that demands it, or `level-5`."""
    table: str = ""
    column: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table or "datapackage.yaml"

    def words(self, lang: str | None = None) -> str:
        """The sentence people read."""
        return say(f"graded.{self.code}", lang, place=self.place, rule=self.rule, **self.facts)
