"""Do two person registers share a person? By keyed hashes, so that neither has to be opened for the other.

Each register that states `apart` keeps the marks of its persons: HMAC-SHA256 of an identifier that names a person in every
system, under a key of the house that makes no pseudonym, first 64 bits. Two of ten million each that share nobody agree on
a mark by chance once in two hundred thousand times; then the intake is refused, never let through. Marks look across no
persons and change nothing that is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from enclave.intake import deidentify, raw
from enclave.intake.identity import named
from enclave.intake.package import Descriptor

_DOMAIN = "register overlap"


@dataclass(frozen=True)
class Marks:
    """The marks of a register's persons, ascending, eight bytes each; and how many rows of persons have none."""

    found: bytes = b""
    unmarked: int = 0

    @property
    def count(self) -> int:
        return len(self.found) // 8


def marks(con: duckdb.DuckDBPyConnection, d: Descriptor, file: raw.Raw, key: bytes) -> Marks:
    """The marks of the raw person table."""
    if d.apart is None:
        return Marks()
    number = deidentify.number_of(deidentify.keyed(_DOMAIN, named(d.person_table, d.apart.by, f'r."{d.apart.by}"')))
    with file.reading():
        made = con.execute(f"SELECT {number} AS mark_ FROM {file.view} r", deidentify.pads(key)).fetchnumpy()["mark_"]
    known = np.ma.compressed(made).astype("<i8")
    return Marks(np.unique(known).tobytes(), len(made) - len(known))


def shared(one: bytes, other: bytes) -> int:
    """How many marks two registers share."""
    found = np.intersect1d(np.frombuffer(one, "<i8"), np.frombuffer(other, "<i8"), assume_unique=True)
    return len(found)
