"""Which columns hold identifiers that the signed policy does not know of?

All tables are looked at before the first is staged, so a steward is told of everything at once and waits for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from enclave.errors import Refused
from enclave.intake import raw
from enclave.intake.discover.columns import survey
from enclave.intake.discover.verdicts import verdicts
from enclave.intake.report import Check

SECTION = "identifiers"


def look(con: duckdb.DuckDBPyConnection, file: raw.Raw) -> tuple[Check, ...]:
    """What there is to say of the columns of one raw table."""
    try:
        seen = survey(con, file)
    except duckdb.Error as broken:
        if isinstance(broken, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
            raise  # ours, not the file's
        raise raw.unreadable(file) from None
    return tuple(verdicts(file.table, seen))


def check_known(checks: Iterable[Check]) -> None:
    """Refused, naming every column that the policy lets pass and that holds identifiers."""
    stops = [check for check in checks if check.stops]
    if stops:
        named = ", ".join(f"{c.table}.{c.column} ({c.code.partition('_')[2]})" for c in stops)
        raise Refused(
            "intake.identifiers_kept", place=f"{stops[0].table}.{stops[0].column}", columns=named, count=len(stops)
        )
