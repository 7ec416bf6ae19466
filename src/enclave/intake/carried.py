"""Which tables of the last version still stand, so that they need not be made again?

A table still stands when its raw file is the very same, under the same signed text, keys and program, no row of it looked in
vain for its person, everybody its rows are of is known as before, the tables it joins stand, and what it carries of them is
what they hold now. Then its stored rows are
what a build would write, and are copied in their order. The person table is always made anew: it is small, and everything
else is found through it. What is copied is verified and digested like what is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from enclave.intake import stage, write
from enclave.intake.columns import literal
from enclave.intake.package import Descriptor
from enclave.intake.report import Report, Section
from enclave.intake.resource import JoinText, Resource

CATALOG = "earlier"


@dataclass(frozen=True)
class Standing:
    """What a table was made from: its raw file, and the persons its rows are of as they were known."""

    file: str
    persons: str


@dataclass(frozen=True)
class Earlier:
    """The version on the shelf: where it is, what opens it, what its tables were made from, what was said of them."""

    path: Path
    file_key: str
    standing: Mapping[str, Standing]
    read: Mapping[str, int]
    dropped: Mapping[str, Mapping[str, int]]
    report: Report

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        place = literal(str(self.path.resolve()))
        con.execute(f"ATTACH {place} AS {CATALOG} (ENCRYPTION_KEY '{self.file_key}', READ_ONLY)")


@dataclass
class Carried:
    """What is taken over from `earlier` in one build; nothing when there is none."""

    earlier: Earlier | None = None
    tables: list[str] = field(default_factory=list)

    def may_stand(self, d: Descriptor, table: Resource, file: Callable[[], str]) -> bool:
        """As far as the file and the last report tell, before anybody's rows are known."""
        if self.earlier is None or table.name == d.unit.table:
            return False
        was = self.earlier.standing.get(table.name)
        lost = sum(n for why, n in self.earlier.dropped.get(table.name, {}).items() if why.startswith("no such person"))
        return was is not None and not lost and was.file != "" and was.file == file()

    def stands(
        self,
        con: duckdb.DuckDBPyConnection,
        d: Descriptor,
        table: Resource,
        file: Callable[[], str],
        places: Mapping[str, str],
    ) -> bool:
        """Whether the table need not be made again; `places` says where the rows of each table are now."""
        if self.earlier is None or not self.may_stand(d, table, file):
            return False
        if any(join.table not in (d.unit.table, *self.tables) for join in table.joins):
            return False
        whose = f'SELECT DISTINCT "{table.unit_column}" FROM {CATALOG}.main."{table.name}"'
        known = persons_of(con, whose) == self.earlier.standing[table.name].persons
        return known and not any(_differ(con, table, join, places[join.table]) for join in table.joins if join.carries)

    def take(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, catalog: str) -> int:
        """Copy the stored rows in their order, and keep what other tables need of them; the number of rows."""
        self.tables.append(table.name)
        place = f'{CATALOG}.main."{table.name}"'
        stage.keep_parents(con, d, table, place)
        for derived in d.person_table.derived:
            if derived.any_of.table == table.name:
                person = d.person_table
                con.execute(
                    f'CREATE OR REPLACE TABLE {write.hits(derived.name)} AS SELECT "{person.unit_column}" AS unit_ '
                    f'FROM {CATALOG}.main."{person.name}" WHERE "{derived.name}"'
                )
        return write.copy(con, d, table, place, catalog)

    def told(self, d: Descriptor, report: Report) -> Report:
        """The report with what was said before of the tables that were taken over."""
        if self.earlier is None or not self.tables:
            return report
        was = self.earlier.report
        read = {t.name: was.read[t.name] if t.name in self.tables else report.read[t.name] for t in d.tables}
        sections = tuple(self._section(d, section, was.section(section.name)) for section in report.sections)
        return replace(report, read=read, sections=sections)

    def _section(self, d: Descriptor, now: Section, was: Section | None) -> Section:
        if was is None or now.name == "risk":  # risk is measured anew of every table
            return now
        order = {table.name: n for n, table in enumerate(d.tables)}
        kept = [check for check in was.checks if check.table in self.tables]
        checks = sorted((*now.checks, *kept), key=lambda check: order.get(check.table, len(order)))
        return replace(now, checks=tuple(checks))


def _differ(con: duckdb.DuckDBPyConnection, table: Resource, join: JoinText, place: str) -> bool:
    """Whether what rests beside the stored rows stands otherwise in the joined table now."""
    differs = " OR ".join(f'f."{name}" IS DISTINCT FROM s."{join.table}_{name}"' for name in join.carries)
    joined = f'{CATALOG}.main."{table.name}" s LEFT JOIN {place} f ON f."{join.to}" = s."{join.column}"'
    (count,) = con.execute(f"SELECT count(*) FROM {joined} WHERE {differs}").fetchall()[0]
    return bool(count)


def persons_of(con: duckdb.DuckDBPyConnection, whose: str) -> str:
    """All of these persons, under every identifier, with what rows of theirs need of them: a sum of hashes."""
    found = con.execute(
        f"SELECT count(*), coalesce(sum(hash(p)::HUGEINT), 0) FROM {stage.PERSONS} p WHERE p.unit_ IN ({whose})"
    ).fetchall()[0]
    return f"{found[0]} {found[1]}"


@cache
def made_by() -> str:
    """What makes extracts here: this package's text and the engine. What another program made does not stand."""
    digest = hashlib.sha256(f"duckdb {duckdb.__version__}".encode())
    for name, content in sorted(_texts(files("enclave.intake"), "")):
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _texts(folder: object, under: str) -> Iterator[tuple[str, bytes]]:
    found: Iterable[Path] = folder.iterdir()  # type: ignore[attr-defined]  # a Traversable
    for path in found:
        if path.is_dir():
            yield from _texts(path, f"{under}{path.name}/")
        elif path.name.endswith((".py", ".toml", ".txt")):
            yield under + path.name, path.read_bytes()
