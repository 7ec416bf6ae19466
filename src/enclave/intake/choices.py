"""Who is left out by their own choice?

Who refused is in no build; where the descriptor says `consent: required`, who did not consent is in none either. Persons are
known here by their pseudonyms alone, and whether one stays out is a function of that person's own choice: soundness U6
holds. The lists are laid in the workshop's memory and go with it: nothing of them is stored in an extract.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from enclave.intake.package import Descriptor

BY_CHOICE = "left out by the person's own choice"
_REFUSED, _CONSENTED = "refused_", "consented_"


@dataclass(frozen=True)
class Choices:
    """Pseudonyms of those who refused, and of those who consented."""

    refused: frozenset[int] = frozenset()
    consented: frozenset[int] = frozenset()

    @property
    def digest(self) -> str:
        """One spelling for one state of both lists; without the key nobody finds a person in it."""
        return digest_of(*(sorted(persons) for persons in (self.refused, self.consented)))


NOBODY = Choices()


def digest_of(*lists: Iterable[int]) -> str:
    """SHA-256 over lists of pseudonyms."""
    return hashlib.sha256("\n".join(" ".join(map(str, persons)) for persons in lists).encode()).hexdigest()


def pseudonym_of(key: bytes, domain: str, identifier: str) -> int:
    """The pseudonym that `deidentify.pseudonym` computes in SQL."""
    digest = hmac.digest(key, f"{domain}\x1f{identifier}".encode(), "sha256")
    return int.from_bytes(digest[:8], "big") - 2**63


def lay(con: duckdb.DuckDBPyConnection, choices: Choices) -> None:
    """Lay both lists in the workshop, before any table is staged."""
    for name, persons in ((_REFUSED, choices.refused), (_CONSENTED, choices.consented)):
        con.register("laid_", pa.table({"person": pa.array(sorted(persons), pa.int64())}))
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT person FROM laid_")
        con.unregister("laid_")


def stays_out(d: Descriptor, unit: str) -> str:
    """SQL that is true where the person of pseudonym `unit` is left out."""
    refused = f"{unit} IN (SELECT person FROM {_REFUSED})"
    if d.consent != "required":
        return refused
    return f"({refused} OR {unit} NOT IN (SELECT person FROM {_CONSENTED}))"
