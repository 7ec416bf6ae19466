"""What is built from raw tables, and what would be?

`build` makes one encrypted file and hands on an `Extract`; `plan` reads the same rows, writes nothing and says what would
happen. Both refuse at the first thing that is not as the signed descriptor says; `plan` lists refusals table by table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from enclave.errors import BadInput, EnclaveError, Incident, Refused
from enclave.intake import (
    carried,
    contributions,
    fingerprint,
    identifiers,
    overlap,
    persons,
    prose,
    raw,
    reverify,
    risk,
    stage,
    votes,
    write,
)
from enclave.intake.choices import BY_CHOICE, NOBODY, Choices, lay
from enclave.intake.columns import literal, stored_columns
from enclave.intake.package import Descriptor, Resource
from enclave.intake.report import Category, Check, Report, Section, Stopped
from enclave.intake.standards import section
from enclave.intake.watched import Progress, watched
from enclave.intake.workshop import Room, Unopened, workshop

FILE = "extract.duckdb"
_CATALOG = "extract"


@dataclass(frozen=True)
class Extract:
    """A finished, re-verified file. Counts are for the steward and the regulator only."""

    path: Path
    digest: str
    file_digest: str
    norm_digest: str
    rows: dict[str, int]
    read: dict[str, int]
    dropped: dict[str, dict[str, int]]
    lineage: dict[str, dict[str, str]]
    """Table → stored column → "raw column: treatment"."""
    report: Report
    marks: overlap.Marks = field(default_factory=overlap.Marks)
    """By which the register is held apart from others; none when the policy does not ask."""
    standing: dict[str, carried.Standing] = field(default_factory=dict)
    """What each table was made from, where that can be told again."""
    taken_over: tuple[str, ...] = ()
    """The tables that were not made again."""


@dataclass(frozen=True)
class Plan:
    """What a build would do."""

    lineage: dict[str, dict[str, str]]
    left_behind: dict[str, tuple[str, ...]]
    """Table → raw columns of which nothing is kept; a table that is dropped whole has none named."""
    read: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    refusals: tuple[EnclaveError, ...] = ()
    report: Report | None = None


def silent(stage_name: str, done: int, total: int | None) -> None:
    """Nobody watches."""


def _is_full(failed: duckdb.Error) -> bool:
    """Whether the engine failed for want of room on disk. It says so in words only, under several kinds of error."""
    said = str(failed).casefold()
    return "no space left" in said or "max_temp_directory_size" in said


@contextmanager
def _quietly(scratch: Path) -> Iterator[None]:
    """The engine's own words may quote a row: only the kind of its failure is passed on, and whether the disk is full."""
    try:
        yield
    except duckdb.Error as failed:
        if _is_full(failed):
            raise Refused("intake.disk_full", place=str(scratch)) from None
        raise Incident("intake.engine_failed", kind=type(failed).__name__) from None


def check_home(d: Descriptor, where: raw.Where, *, demo_home: bool) -> None:
    """Refused when a demo and a real home meet, or when a demo's source is not the generator's."""
    if d.demo and not demo_home:
        raise Refused("intake.demo_in_real_home", dataset=d.name)
    if demo_home and not d.demo:
        raise Refused("intake.real_in_demo_home", dataset=d.name)
    if d.demo:
        raw.check_generated(raw.source_of(where), d.tables)


def lineage(d: Descriptor) -> dict[str, dict[str, str]]:
    """Where every stored column comes from."""
    return {t.name: {c.name: f"{c.source}: {c.treatment}" for c in stored_columns(d, t)} for t in d.tables}


def _report(
    d: Descriptor,
    found: dict[str, stage.Staged],
    named: Iterable[Check],
    risks: Iterable[risk.Found],
    marked: overlap.Marks | None = None,
) -> Report:
    """What was read, what was left out, rule by rule, which identifiers were found, and what risk remains."""
    left_out = [
        Check("left_out", {"rule": rule}, Category.LEFT_OUT, table, of=staged.read, failed=count)
        for table, staged in found.items()
        for rule, count in staged.dropped.items()
    ]
    sections = (
        section(d, {n: s.tally for n, s in found.items()}),
        persons.section(d, found, marked),
        Section("left_out", checks=tuple(left_out)),
        Section(identifiers.SECTION, checks=tuple(named)),
        risk.section(risks),
        risk.safe_harbor(d),
    )
    return Report(d.name, "", {n: s.read for n, s in found.items()}, sections)


def _stops(d: Descriptor, name: str, staged: stage.Staged) -> bool:
    """Whether the policy lets no extract be made of this table."""
    return any(check.stops for check in section(d, {name: staged.tally}).checks)


def _postponed(d: Descriptor, staged: list[str]) -> bool:
    """The person table waits for the tables its derived columns look at."""
    return any(x.any_of.table not in staged for x in d.person_table.derived)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Made:
    """What a build has made so far."""

    key: bytes
    files: Mapping[str, raw.Seen | None]
    kept: carried.Carried
    rows: dict[str, int] = field(default_factory=dict)
    risks: list[risk.Found] = field(default_factory=list)
    standing: dict[str, carried.Standing] = field(default_factory=dict)

    def digest(self, name: str) -> str:
        file = self.files[name]
        return file.digest if file else ""

    def places(self, d: Descriptor) -> dict[str, str]:
        """Where the rows of each table are now: in the extract, or still staged."""
        return {t.name: f'{_CATALOG}.main."{t.name}"' if t.name in self.rows else stage.staged(t) for t in d.tables}

    def _know(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, dropped: Iterable[str]) -> None:
        """Note what a measured table was made from; not where somebody is left out by choice, who may come back."""
        file = self.files[table.name]
        if file is not None and table.name != d.unit.table and BY_CHOICE not in dropped:
            persons_ = carried.persons_of(con, f"SELECT unit_ FROM {contributions.norms(table)}")
            self.standing[table.name] = carried.Standing(file.digest, persons_)

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
            self.rows[name] = write.write(con, d, table, _CATALOG, self.places(d))
        write.clear(con, table)
        progress(f"write {name}", self.rows[name], self.rows[name])
        self._weigh(con, d, table, progress)

    def take(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, progress: Progress) -> None:
        """Take a table over that still stands."""
        assert self.kept.earlier is not None
        with watched(con, progress, f"take over {table.name}", self.kept.earlier.read[table.name]):
            self.rows[table.name] = self.kept.take(con, d, table, _CATALOG)
        progress(f"take over {table.name}", self.rows[table.name], self.rows[table.name])
        self.standing[table.name] = self.kept.earlier.standing[table.name]
        self._weigh(con, d, table, progress)

    def _weigh(self, con: duckdb.DuckDBPyConnection, d: Descriptor, table: Resource, progress: Progress) -> None:
        progress(f"weigh risk {table.name}", 0, None)
        self.risks.append(risk.measure(con, d, table, f'{_CATALOG}.main."{table.name}"'))


def _read_all(
    con: duckdb.DuckDBPyConnection,
    d: Descriptor,
    source: raw.Source,
    key: bytes,
    progress: Progress,
    made: _Made,
) -> tuple[dict[str, stage.Staged], list[Check]]:
    """Look at every table, then stage each in order; finish each as soon as it can be, as long as nothing stops.

    What still stands of the last version is taken over, not read.
    """
    files = {table.name: raw.open_raw(con, source, table, zone=d.timezone) for table in d.tables}
    progress("look for identifiers", 0, None)
    unread = [t.name for t in d.tables if made.kept.may_stand(d, t, made.digest(t.name))]
    named = [check for name, file in files.items() if name not in unread for check in identifiers.look(con, file)]
    identifiers.check_known(named)
    found: dict[str, stage.Staged] = {}
    waiting: list[str] = []
    goes_on = True
    for table in d.tables:
        file = files[table.name]
        if goes_on and made.kept.stands(con, d, table, made.digest(table.name), made.places(d)):
            made.take(con, d, table, progress)
            continue
        if table.name in unread:
            named += (seen := identifiers.look(con, file))
            identifiers.check_known(seen)
        with watched(con, progress, f"read {table.name}", raw.expected_rows(con, file)):
            found[table.name] = stage.stage(con, d, table, file, key)
        progress(f"read {table.name}", found[table.name].read, found[table.name].read)
        named += _without_identifiers(con, table, key, progress)
        stage.keep_parents(con, d, table)
        write.keep_hits(con, d, table)
        waiting.append(table.name)
        goes_on = goes_on and not _stops(d, table.name, found[table.name])
        there = [*found, *made.kept.tables]
        for name in [name for name in waiting if goes_on and (name != d.unit.table or not _postponed(d, there))]:
            made.finish(con, d, name, found[name].dropped, progress)
            waiting.remove(name)
    for name in waiting if goes_on else ():  # what waited for a table that was taken over last
        made.finish(con, d, name, found[name].dropped, progress)
    return found, named


def _without_identifiers(
    con: duckdb.DuckDBPyConnection, table: Resource, key: bytes, progress: Progress
) -> list[Check]:
    """Go through the free text of a staged table."""
    return prose.redact(
        con, table, stage.staged(table), stage.PERSONS, key, lambda done: progress(f"redact {table.name}", done, None)
    )


@contextmanager
def _opened(
    source: raw.Source, scratch: Path, sees: tuple[Path, ...], room: Room | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workshop in which `source` can be read; BadInput when it cannot be reached."""
    try:
        with workshop(scratch, (*source.sees, *sees), room or Room(), source.opening()) as con:
            yield con
    except Unopened:
        raise BadInput("intake.unreadable_source", place=source.shown) from None


def build(
    d: Descriptor,
    where: raw.Where,
    draft: Path,
    *,
    pseudonym_key: bytes,
    file_key: str,
    choices: Choices = NOBODY,
    overlap_key: bytes = b"",
    earlier: carried.Earlier | None = None,
    room: Room | None = None,
    progress: Progress = silent,
) -> Extract:
    """Make `draft/extract.duckdb`, encrypted under `file_key` (hex), and read it back before saying so.

    Of `earlier`, a version made under the same text and keys, whatever still stands is taken over: the content is the same.
    """
    path = draft / FILE
    if not all(c in "0123456789abcdef" for c in file_key) or len(file_key) != 64:
        raise ValueError("a file key is 64 hex digits")
    if d.apart is not None and not overlap_key:
        raise ValueError("registers are held apart under a key")
    source = raw.source_of(where)
    sees = (draft, earlier.path.parent) if earlier else (draft,)
    with _quietly(draft.parent), _opened(source, draft, sees, room) as con:
        contributions.define_root(con)
        lay(con, choices)
        if earlier:
            earlier.attach(con)
        made = _Made(pseudonym_key, {t.name: raw.seen(source, t) for t in d.tables}, carried.Carried(earlier))
        attach = f"ATTACH {literal(str(path.resolve()))} AS {_CATALOG} (ENCRYPTION_KEY '{file_key}'"
        con.execute(attach + ")")

        found, named = _read_all(con, d, source, pseudonym_key, progress, made)
        marked = _marked(con, d, source, overlap_key)
        if (report := made.kept.told(d, _report(d, found, named, made.risks, marked))).stops:
            raise Stopped(report)
        if max(made.rows.values()) > d.size_class:
            raise Refused("intake.larger_than_class", dataset=d.name, size_class=d.size_class)
        con.execute(f"CHECKPOINT {_CATALOG}")
        con.execute(f"DETACH {_CATALOG}")
        con.execute(attach + ", READ_ONLY)")
        progress("verify", 0, None)
        reverify.reverify(con, d, _CATALOG)
        progress("digest", 0, None)
        digest = fingerprint.content_digest(con, d, _CATALOG)
        con.execute(f"DETACH {_CATALOG}")
    read, dropped = {n: s.read for n, s in found.items()}, {n: s.dropped for n, s in found.items()}
    for name in made.kept.tables if earlier else ():
        assert earlier is not None
        read[name], dropped[name] = earlier.read[name], dict(earlier.dropped[name])
    standing = {n: s for n, s in made.standing.items() if (file := made.files[n]) is not None and file.holds()}
    norms, rows, over = fingerprint.norm_digest(d), made.rows, tuple(made.kept.tables)
    return Extract(
        path, digest, _file_digest(path), norms, rows, read, dropped, lineage(d), report, marked, standing, over
    )


def _marked(con: duckdb.DuckDBPyConnection, d: Descriptor, source: raw.Source, key: bytes) -> overlap.Marks:
    """The marks of the register's persons, where the policy holds it apart from others."""
    if d.apart is None:
        return overlap.Marks()
    return overlap.marks(con, d, raw.open_raw(con, source, d.person_table, zone=d.timezone), key)


def plan(
    d: Descriptor,
    where: raw.Where,
    scratch: Path,
    *,
    pseudonym_key: bytes,
    choices: Choices = NOBODY,
    room: Room | None = None,
    progress: Progress = silent,
) -> Plan:
    """Read everything, keep nothing: what each column becomes, which rows would be left out, what would be refused."""
    left = {t.name: tuple(f.name for f in t.fields if not f.outputs) for t in d.resources}
    refusals: list[EnclaveError] = []
    found: dict[str, stage.Staged] = {}
    named: list[Check] = []
    risks: list[risk.Found] = []
    waiting: list[Resource] = []
    source = raw.source_of(where)
    with _quietly(scratch), _opened(source, scratch, (), room) as con:
        lay(con, choices)
        for table in d.tables:
            if any(join.table not in found for join in table.joins):
                continue  # what it joins was refused: its rows cannot be told apart
            try:
                file = raw.open_raw(con, source, table, zone=d.timezone)
                named += (seen := identifiers.look(con, file))
                identifiers.check_known(seen)
                staged = stage.stage(con, d, table, file, pseudonym_key)
                named += _without_identifiers(con, table, pseudonym_key, progress)
                stage.check_key(con, table)
            except (BadInput, Refused) as refused:
                refusals.append(refused)
                continue
            found[table.name] = staged
            progress(f"read {table.name}", staged.read, staged.read)
            stage.keep_parents(con, d, table)
            write.keep_hits(con, d, table)
            waiting.append(table)
            for ready in [t for t in waiting if t.name != d.unit.table or not _postponed(d, list(found))]:
                risks.append(risk.measure(con, d, ready, write.kept(ready)))
                con.execute(f"DROP TABLE {stage.staged(ready)}")
                waiting.remove(ready)
    read, dropped = {n: s.read for n, s in found.items()}, {n: s.dropped for n, s in found.items()}
    report = _report(d, found, named, risks)
    # identifiers that are kept have a refusal of their own, in the words of their columns
    if any(
        check.stops for section_ in report.sections if section_.name != identifiers.SECTION for check in section_.checks
    ):
        refusals.append(Stopped(report))
    return Plan(lineage(d), left, read, dropped, tuple(refusals), report)
