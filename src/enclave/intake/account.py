"""What does a reading of raw tables come to? Counts are for the steward and the regulator only."""

from __future__ import annotations

from collections.abc import Iterable

from enclave.intake import identifiers, overlap, persons, risk, stage
from enclave.intake.columns import stored_columns
from enclave.intake.package import Descriptor
from enclave.intake.report import Category, Check, Report, Section
from enclave.intake.standards import section


def lineage(d: Descriptor) -> dict[str, dict[str, str]]:
    """Where every stored column comes from."""
    return {t.name: {c.name: f"{c.source}: {c.treatment}" for c in stored_columns(d, t)} for t in d.tables}


def reported(
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


def stops(d: Descriptor, name: str, staged: stage.Staged) -> bool:
    """Whether the policy lets no extract be made of this table."""
    return any(check.stops for check in section(d, {name: staged.tally}).checks)
