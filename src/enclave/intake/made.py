"""What has a build made so far? Each table is looked at, staged, measured, written and weighed, as soon as it can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import duckdb

from enclave.intake import carried, contributions, identifiers, laid, prose, raw, risk, stage, votes, write
from enclave.intake.account import stops
from enclave.intake.choices import BY_CHOICE
from enclave.intake.discover.known import NOBODY, Staff
from enclave.intake.package import Descriptor
from enclave.intake.report import Check
from enclave.intake.resource import Resource
from enclave.intake.watched import Progress, watched

CATALOG = "extract"
"""What the file that is written is called while it is attached."""


def postponed(d: Descriptor, staged: list[str]) -> bool:
    """The person table waits for the tables its derived columns look at."""
    return any(x.any_of.table not in staged for x in d.person_table.derived)


@dataclass
class Made:
    """What a build has made so far."""

    key: bytes
    files: Mapping[str, raw.Seen]
    kept: carried.Carried
    staff: Staff = NOBODY
    rows: dict[str, int] = field(default_factory=dict)
    risks: list[risk.Found] = field(default_factory=list)
    standing: dict[str, carried.Standing] = field(default_factory=dict)

    def digest(self, table: Resource) -> str:
        """Of the file a table is made from and, where it has free text, of the staff looked for there; "" without a file."""
        file = self.files.get(table.name)
        staff = self.staff.digest if prose.outputs(table) else ""
        return f"{file.digest} {staff}".strip() if file else ""

    def places(self, d: Descriptor) -> dict[str, str]:
        """Where the rows of each table are now: in the extract, or still staged."""
        return {t.name: f'{CATALOG}.main."{t.name}"' if t.name in self.rows else laid.staged(t) for t in d.tables}

    def _know(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, dropped: Iterable[str]) -> None:
        """Note what a measured table was made from; not where somebody is left out by choice, who may come back."""
        file = self.files.get(table.name)
        if file is not None and table.name != d.unit.table and BY_CHOICE not in dropped:
            persons_ = carried.persons_of(con, f"SELECT unit_ FROM {contributions.norms(table)}")
            self.standing[table.name] = carried.Standing(self.digest(table), persons_)

    def finish(
        self, con: duckdb.DuckDBPyConnection, d: Descriptor, name: str, dropped: Iterable[str], progress: Progress
    ) -> None:
        """Measure, write and weigh a staged table."""
        table = d.table(name)
        assert table is not None
        staged = stage.count(con, table)
        with watched(con, progress, f"measure {name}", staged):
            contributions.measure(con, d, table)
            votes.measure(con, table, self.key)
        progress(f"measure {name}", staged, staged)
        self._know(con, d, table, dropped)
        with watched(con, progress, f"write {name}", staged):
            self.rows[name] = write.write(con, d, table, CATALOG, self.places(d))
        write.clear(con, table)
        progress(f"write {name}", self.rows[name], self.rows[name])
        self._weigh(con, d, table, progress)

    def take(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, progress: Progress) -> None:
        """Take a table over that still stands."""
        assert self.kept.earlier is not None
        with watched(con, progress, f"take over {table.name}", self.kept.earlier.read[table.name]):
            self.rows[table.name] = self.kept.take(con, d, table, CATALOG)
        progress(f"take over {table.name}", self.rows[table.name], self.rows[table.name])
        self.standing[table.name] = self.kept.earlier.standing[table.name]
        self._weigh(con, d, table, progress)

    def _weigh(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, progress: Progress) -> None:
        progress(f"weigh risk {table.name}", 0, None)
        self.risks.append(risk.measure(con, d, table, f'{CATALOG}.main."{table.name}"'))


def read_all(
    con: duckdb.DuckDBPyConnection,
    d: Descriptor,
    source: raw.Source,
    progress: Progress,
    made: Made,
) -> tuple[dict[str, stage.Staged], list[Check]]:
    """Look at every table, then stage each in order; finish each as soon as it can be, as long as nothing stops.

    What still stands of the last version is taken over, not read.
    """
    files = {table.name: raw.open_raw(con, source, table, zone=d.timezone) for table in d.tables}
    progress("look for identifiers", 0, None)
    unread = [t.name for t in d.tables if made.kept.may_stand(d, t, partial(made.digest, t))]
    named = [check for name, file in files.items() if name not in unread for check in identifiers.look(con, file)]
    identifiers.check_known(named)
    found: dict[str, stage.Staged] = {}
    waiting: list[str] = []
    goes_on = True
    for table in d.tables:
        file = files[table.name]
        if goes_on and made.kept.stands(con, d, table, partial(made.digest, table), made.places(d)):
            made.take(con, d, table, progress)
            continue
        if table.name in unread:
            named += (seen := identifiers.look(con, file))
            identifiers.check_known(seen)
        with watched(con, progress, f"read {table.name}", raw.expected_rows(con, file)):
            found[table.name] = stage.stage(con, d, table, file, made.key)
        progress(f"read {table.name}", found[table.name].read, found[table.name].read)
        named += without_identifiers(con, table, made.key, made.staff, progress)
        stage.keep_parents(con, d, table)
        write.keep_hits(con, d, table)
        waiting.append(table.name)
        goes_on = goes_on and not stops(d, table.name, found[table.name])
        there = [*found, *made.kept.tables]
        for name in [name for name in waiting if goes_on and (name != d.unit.table or not postponed(d, there))]:
            made.finish(con, d, name, found[name].dropped, progress)
            waiting.remove(name)
    for name in waiting if goes_on else ():  # what waited for a table that was taken over last
        made.finish(con, d, name, found[name].dropped, progress)
    return found, named


def without_identifiers(
    con: duckdb.DuckDBPyConnection, table: Resource, key: bytes, staff: Staff, progress: Progress
) -> list[Check]:
    """Go through the free text of a staged table."""

    def heard(done: int) -> None:
        progress(f"redact {table.name}", done, None)

    return prose.redact(con, table, stage.PERSONS, key, staff, heard)
