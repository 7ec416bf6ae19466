"""Which columns might an outsider know of somebody, and how much risk does the policy allow?

The share that an attack succeeds follows GB/T 42460-2023 (6.3, annex D) as it is coded in public tools: the risk of a class
is 1/size; a class above the threshold of the form of opening makes the whole risk 1; else it is the mean over persons (fully
public: the greatest) of the class risk times the probability that somebody tries, the greatest of a deliberate insider, an
acquaintance and a breach at the recipient.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from enclave.intake.treatments import Bound, Name, Text

Degree = Literal["low", "medium", "high"]
DEGREES: tuple[Degree, ...] = ("low", "medium", "high")

SMALLEST = {"public": 20, "controlled": 5, "enclave": 3}
"""Class size below which the risk of a class is above the threshold (0.05, 0.20, 1/3)."""

INSIDER: dict[Degree, tuple[Decimal, Decimal, Decimal]] = {
    "high": (Decimal("0.05"), Decimal("0.1"), Decimal("0.2")),
    "medium": (Decimal("0.2"), Decimal("0.3"), Decimal("0.4")),
    "low": (Decimal("0.4"), Decimal("0.5"), Decimal("0.6")),
}
"""Control of the recipient → probability by motive: low, medium, high."""

BREACH: dict[Degree, Decimal] = {"high": Decimal("0.14"), "medium": Decimal("0.27"), "low": Decimal("0.55")}
"""By the security of the recipient."""


class QuasiIdentifiers(Text):
    """Columns of one table that somebody might know of a person together, and what must hold of the classes they make."""

    name: Name
    table: Name
    columns: tuple[Name, ...] = Field(min_length=1, max_length=8)
    k: int = Field(default=3, ge=1, le=1000)
    """The least number of persons of one class."""
    sensitive: tuple[Name, ...] = ()
    """Columns that a class must not give away."""
    l: int = Field(default=1, ge=1, le=100)  # noqa: E741 - its name in the field
    """The least number of different sensitive values in a class."""
    t: Bound = Field(default=Decimal(1), gt=0, le=1)
    """The greatest distance (total variation) of a class's sensitive values from everybody's."""
    at_fault: Bound = Field(default=Decimal(0), ge=0, le=100)
    """The per cent of persons that may stand in classes that miss k, l or t."""

    def allowed(self, persons: int) -> int:
        """How many of so many persons may."""
        return int(self.at_fault * persons / 100)


class Risk(Text):
    """The risk that this dataset's policy allows; without any set nothing is measured."""

    opening: Literal["public", "controlled", "enclave"] = "enclave"
    control: Degree = "high"
    motive: Degree = "low"
    security: Degree = "high"
    prevalence: Bound = Field(default=Decimal("0.001"), ge=0, le=1)
    """The share of the population that is in the records, for an acquaintance who looks somebody up."""
    acquaintances: int = Field(default=150, ge=1, le=10_000)
    most: Bound = Field(default=Decimal("0.05"), ge=0, le=1)
    """The greatest risk at which an extract is made."""
    small_places: dict[Name, int] = Field(default_factory=dict)
    """Code column → the persons that each of its values must have, or it is reported."""
    sets: tuple[QuasiIdentifiers, ...] = ()

    @property
    def acquaintance(self) -> Decimal:
        """The probability that somebody who uses the data knows somebody in them."""
        return 1 - (1 - self.prevalence) ** self.acquaintances

    @property
    def attempt(self) -> Decimal:
        """The probability that somebody tries."""
        if self.opening == "public":
            return Decimal(1)
        insider = INSIDER[self.control][DEGREES.index(self.motive)]
        return max(insider, self.acquaintance, BREACH[self.security])
