"""What would be built from raw tables? The same rows are read, nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from enclave.errors import BadInput, EnclaveError, Refused
from enclave.intake import identifiers, laid, raw, risk, stage, write
from enclave.intake.account import lineage, reported
from enclave.intake.choices import NOBODY, Choices, lay
from enclave.intake.made import postponed, without_identifiers
from enclave.intake.opening import opened, quietly
from enclave.intake.package import Descriptor
from enclave.intake.report import Check, Report, Stopped
from enclave.intake.resource import Resource
from enclave.intake.staff import staff_of
from enclave.intake.watched import Progress, silent
from enclave.intake.workshop import Room


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
    with quietly(scratch), opened(source, scratch, (), room) as con:
        lay(con, choices)
        staff = staff_of(con, d, source)
        for table in d.tables:
            if any(join.table not in found for join in table.joins):
                continue  # what it joins was refused: its rows cannot be told apart
            try:
                file = raw.open_raw(con, source, table, zone=d.timezone)
                named += (seen := identifiers.look(con, file))
                identifiers.check_known(seen)
                staged = stage.stage(con, d, table, file, pseudonym_key)
                named += without_identifiers(con, table, pseudonym_key, staff, progress)
                stage.check_key(con, table)
            except (BadInput, Refused) as refused:
                refusals.append(refused)
                continue
            found[table.name] = staged
            progress(f"read {table.name}", staged.read, staged.read)
            stage.keep_parents(con, d, table)
            write.keep_hits(con, d, table)
            waiting.append(table)
            for ready in [t for t in waiting if t.name != d.unit.table or not postponed(d, list(found))]:
                risks.append(risk.measure(con, d, ready, write.kept(ready)))
                laid.drop(con, ready)
                waiting.remove(ready)
    read, dropped = {n: s.read for n, s in found.items()}, {n: s.dropped for n, s in found.items()}
    report = reported(d, found, named, risks)
    # identifiers that are kept have a refusal of their own, in the words of their columns
    if any(
        check.stops for section_ in report.sections if section_.name != identifiers.SECTION for check in section_.checks
    ):
        refusals.append(Stopped(report))
    return Plan(lineage(d), left, read, dropped, tuple(refusals), report)
