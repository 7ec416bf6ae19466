"""What is built from raw tables?

One encrypted file, closed, read back and verified before anybody hears of it. A build refuses at the first thing that is not
as the signed descriptor says; `planned` lists refusals table by table and writes nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from enclave.errors import Refused
from enclave.intake import carried, contributions, fingerprint, overlap, raw, reverify
from enclave.intake.account import lineage, reported
from enclave.intake.choices import NOBODY, Choices, lay
from enclave.intake.columns import literal
from enclave.intake.made import CATALOG, Made, read_all
from enclave.intake.opening import opened, quietly
from enclave.intake.package import Descriptor
from enclave.intake.report import Report, Stopped
from enclave.intake.staff import staff_of
from enclave.intake.watched import Progress, silent
from enclave.intake.workshop import Room

FILE = "extract.duckdb"


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


def check_home(d: Descriptor, where: raw.Where, *, demo_home: bool) -> None:
    """Refused when a demo and a real home meet, or when a demo's source is not the generator's."""
    if d.demo and not demo_home:
        raise Refused("intake.demo_in_real_home", dataset=d.name)
    if demo_home and not d.demo:
        raise Refused("intake.real_in_demo_home", dataset=d.name)
    if d.demo:
        raw.check_generated(raw.source_of(where), d.tables)


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
    with quietly(draft.parent), opened(source, draft, sees, room) as con, raw.seen(source, d.tables) as files:
        contributions.define_root(con)
        lay(con, choices)
        if earlier:
            earlier.attach(con)
        made = Made(pseudonym_key, files, carried.Carried(earlier), staff_of(con, d, source))
        attach = f"ATTACH {literal(str(path.resolve()))} AS {CATALOG} (ENCRYPTION_KEY '{file_key}'"
        con.execute(attach + ")")

        found, named = read_all(con, d, source, progress, made)
        marked = _marked(con, d, source, overlap_key)
        if (report := made.kept.told(d, reported(d, found, named, made.risks, marked))).stops:
            raise Stopped(report)
        for name in (name for name, count in made.rows.items() if count > d.rows_of(name)):
            raise Refused("intake.larger_than_class", dataset=d.name, table=name, size_class=d.rows_of(name))
        con.execute(f"CHECKPOINT {CATALOG}")
        con.execute(f"DETACH {CATALOG}")
        con.execute(attach + ", READ_ONLY)")
        digest, file_digest = _verified(con, d, path, progress)
        con.execute(f"DETACH {CATALOG}")
    read, dropped = {n: s.read for n, s in found.items()}, {n: s.dropped for n, s in found.items()}
    for name in made.kept.tables if earlier else ():
        assert earlier is not None
        read[name], dropped[name] = earlier.read[name], dict(earlier.dropped[name])
    standing = {n: s for n, s in made.standing.items() if made.files[n].holds()}
    norms, rows, over = fingerprint.norm_digest(d), made.rows, tuple(made.kept.tables)
    return Extract(path, digest, file_digest, norms, rows, read, dropped, lineage(d), report, marked, standing, over)


def _verified(con: duckdb.DuckDBPyConnection, d: Descriptor, path: Path, progress: Progress) -> tuple[str, str]:
    """Digests of the attached extract's content and of its file, taken while it is verified: nothing writes to it now."""
    progress("verify", 0, None)
    with con.cursor() as beside, ThreadPoolExecutor(2) as pool:
        file = pool.submit(raw.digest_of, path)
        content = pool.submit(fingerprint.content_digest, beside, d, CATALOG)
        reverify.reverify(con, d, CATALOG)
        progress("digest", 0, None)
        return content.result(), file.result()


def _marked(con: duckdb.DuckDBPyConnection, d: Descriptor, source: raw.Source, key: bytes) -> overlap.Marks:
    """The marks of the register's persons, where the policy holds it apart from others."""
    if d.apart is None:
        return overlap.Marks()
    return overlap.marks(con, d, raw.open_raw(con, source, d.person_table, zone=d.timezone), key)
