"""Who is left out by their own choice?

Who refused is in no build; where the descriptor says `consent: required`, who did not consent is in none either. Who refused
in another register that a table here draws on is left out too: their records are used here. Persons are known by their
pseudonyms alone, there under the other register's key, and whether one stays out is a function of that person's own choice:
soundness U6 holds. Lists and keys are laid in the workshop's memory and go with it: nothing of them is stored in an extract.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from enclave.intake.deidentify import keyed, number_of, pads
from enclave.intake.package import Descriptor

BY_CHOICE = "left out by the person's own choice"
_REFUSED, _CONSENTED, _PADS, _ELSEWHERE = "refused_", "consented_", "pads_", "refused_elsewhere"


@dataclass(frozen=True)
class Elsewhere:
    """Who refused in another register, as pseudonyms of a domain under its key."""

    register: str
    domain: str
    refused: frozenset[int]
    key: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True)
class Choices:
    """Pseudonyms of those who refused, and of those who consented; and who refused in registers that tables draw on."""

    refused: frozenset[int] = frozenset()
    consented: frozenset[int] = frozenset()
    elsewhere: tuple[Elsewhere, ...] = ()

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


def drawn_on(d: Descriptor) -> tuple[str, ...]:
    """The other registers that tables of the dataset draw on."""
    return tuple(sorted({name for table in d.tables for name in table.registers} - {d.register_}))


def lay(con: duckdb.DuckDBPyConnection, choices: Choices) -> None:
    """Lay all lists in the workshop, before any table is staged."""
    for name, persons in ((_REFUSED, choices.refused), (_CONSENTED, choices.consented)):
        _lay(con, name, pa.table({"person": pa.array(sorted(persons), pa.int64())}))
    tests = []
    for at, other in enumerate(choices.elsewhere):
        padded = pads(other.key)
        _lay(con, f"{_REFUSED}{at}", pa.table({"person": pa.array(sorted(other.refused), pa.int64())}))
        _lay(con, f"{_PADS}{at}", pa.table({name: pa.array([pad], pa.binary()) for name, pad in padded.items()}))
        inner, outer = (f'(SELECT "{name}" FROM {_PADS}{at})' for name in padded)
        digest = keyed(other.domain, "identifier_").replace("$inner::BLOB", inner).replace("$outer::BLOB", outer)
        tests.append(f"coalesce({number_of(digest)} IN (SELECT person FROM {_REFUSED}{at}), false)")
    con.execute(f"CREATE OR REPLACE MACRO {_ELSEWHERE}(identifier_) AS ({' OR '.join(tests) or 'false'})")


def _lay(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("laid_", rows)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM laid_")
    con.unregister("laid_")


def stays_out(d: Descriptor, unit: str, named: Iterable[str], row: str = "r") -> str:
    """SQL that is true where the person of pseudonym `unit`, whose row of the person table is `row`, is left out; `named`
    are the raw columns there by which the list of another register may know them."""
    refused = f"{unit} IN (SELECT person FROM {_REFUSED})"
    if drawn_on(d):
        refused = " OR ".join([refused, *(f'{_ELSEWHERE}(CAST({row}."{name}" AS VARCHAR))' for name in named)])
    if d.consent != "required":
        return f"({refused})"
    return f"({refused} OR {unit} NOT IN (SELECT person FROM {_CONSENTED}))"
