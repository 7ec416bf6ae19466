"""How are raw rows read? This package alone opens raw data.

A table is taken exactly as the descriptor says or not at all: every column named, every line well-formed, every value of
its type. A complaint names table, line and column; never what stands there.
"""

from enclave.intake.raw.faults import Fault, check_read, fault_of, faults, first_rows, unreadable
from enclave.intake.raw.generated import check_generated
from enclave.intake.raw.listing import Listed, as_text, table_at, tables_in
from enclave.intake.raw.opened import Raw, open_raw
from enclave.intake.raw.people_listed import people_listed
from enclave.intake.raw.size import expected_rows
from enclave.intake.raw.source import DatabaseFile, Folder, Server, Source, Where, source_of
from enclave.intake.raw.unchanged import Seen, digest_of, seen

__all__ = [
    "DatabaseFile",
    "Fault",
    "Folder",
    "Listed",
    "Raw",
    "Seen",
    "Server",
    "Source",
    "Where",
    "as_text",
    "check_generated",
    "check_read",
    "digest_of",
    "expected_rows",
    "fault_of",
    "faults",
    "first_rows",
    "open_raw",
    "people_listed",
    "seen",
    "source_of",
    "table_at",
    "tables_in",
    "unreadable",
]
