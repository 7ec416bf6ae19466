"""What was bought of an extract's persons, once for a version?

Noisy numbers of persons by public bins, one histogram for each stored norm and each variable: differentially private,
paid by the population, part of the dictionary from then on. Whoever plans a question may read it as freely as the rest.

A histogram of a *norm* tells how many persons have a norm above the edge before and up to the edge; the last number is of
those beyond the last edge. One of a *variable* spreads each person evenly over their rows: with `edges`, numbers or days
up to each (the last is the variable's bound); without, one number for each word of the list. Its last number is of NULL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from enclave.audit import canonical
from enclave.store import Signature

PERSON = 65536
"""One person in a histogram, as one row of full weight in an answer."""


class Of(StrEnum):
    """What a histogram is of."""

    NORM = "norm"
    VARIABLE = "variable"


@dataclass(frozen=True)
class Histogram:
    """Persons by public bins. `counts` and `scale` (the standard deviation of the noise in each) count 1/65536 persons."""

    table: str
    column: str
    of: Of
    edges: tuple[int, ...]
    counts: tuple[int, ...]
    scale: int

    def __hash__(self) -> int:
        """Found once: every price looks curves up by their histogram."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.table, self.column, self.of, self.edges, self.counts, self.scale))

    @property
    def persons(self) -> tuple[float, ...]:
        return tuple(count / PERSON for count in self.counts)

    @property
    def noise(self) -> float:
        """The standard deviation of the noise in each number, in persons."""
        return self.scale / PERSON


@dataclass(frozen=True)
class Profile:
    """Everything bought at once, its price, and the home's signature over it and the extract it is of."""

    epsilon: str
    """As it was asked, at the dataset's δ."""
    rho: int
    """Nano-rho: what it cost."""
    histograms: tuple[Histogram, ...]
    reservation: int = 0
    """The entry of the ledger that paid for it."""
    signature: Signature | None = None

    @cached_property
    def digest(self) -> str:
        """Of what was bought: who answers from it says so by this."""
        return hashlib.sha256(canonical(_bare(self))).hexdigest()

    @cached_property
    def _found(self) -> Mapping[tuple[str, str], Histogram]:
        return {(h.table, h.column): h for h in self.histograms}

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and (self.digest, self.signature) == (other.digest, other.signature)

    def of(self, table: str, column: str) -> Histogram | None:
        """The histogram of a stored norm or a variable; their names never collide within a table."""
        return self._found.get((table, column))

    def message(self, *, name: str, version: int, digest: str, policy_digest: str) -> bytes:
        """What the home signs: of which extract, built under which policy, this was bought."""
        of = {"name": name, "version": version, "digest": digest, "policy": policy_digest}
        return canonical({"purpose": "domicile profile", "of": of, "profile": self.digest})

    def to_json(self) -> str:
        signature = asdict(self.signature) if self.signature else None
        return json.dumps(_bare(self) | {"signature": signature}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Profile:
        tree: dict[str, Any] = json.loads(text)
        histograms = tuple(
            Histogram(**h | {"of": Of(h["of"]), "edges": tuple(h["edges"]), "counts": tuple(h["counts"])})
            for h in tree["histograms"]
        )
        signature = Signature(**tree["signature"]) if tree["signature"] else None
        return cls(tree["epsilon"], tree["rho"], histograms, tree["reservation"], signature)

    def signed(self, signature: Signature) -> Profile:
        return replace(self, signature=signature)


def _bare(profile: Profile) -> dict[str, Any]:
    histograms = [asdict(h) for h in profile.histograms]
    return {
        "epsilon": profile.epsilon,
        "rho": profile.rho,
        "reservation": profile.reservation,
        "histograms": histograms,
    }
