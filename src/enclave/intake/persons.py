"""What does the report say of who is who?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from enclave.intake import identity
from enclave.intake.overlap import Marks
from enclave.intake.package import Descriptor
from enclave.intake.report import Category, Check, Line, Section
from enclave.intake.stage import Staged
from enclave.intake.standards import against_person, element


def section(d: Descriptor, found: Mapping[str, Staged], marked: Marks | None = None) -> Section:
    """The stated rule, persons with several rows or identifiers, rows that meet nobody, rows at odds with their person."""
    checks = [*_checks(d, found), *_unmarked(d, found, marked)]
    return Section("identity", (Line("identity_rule", identity.facts(d.person_table)),), tuple(checks))


def _unmarked(d: Descriptor, found: Mapping[str, Staged], marked: Marks | None) -> Iterator[Check]:
    """Persons by whom two registers cannot be compared: the signed rule alone stands for them."""
    name = d.person_table.name
    if d.apart is not None and marked is not None:
        facts = {"registers": ", ".join(d.apart.from_)}
        of = found[name].read
        yield Check("unmarked", facts, Category.IDENTITY, name, d.apart.by, of=of, failed=marked.unmarked)


def _checks(d: Descriptor, found: Mapping[str, Staged]) -> Iterator[Check]:
    for name, staged in found.items():
        if (settled := staged.settled) is not None:
            yield from _several(d, settled)
        yield from against_person(name, staged.tally)
        for reason, count in staged.dropped.items():
            if name != d.unit.table and reason.startswith("no such "):
                code = "identity_orphans" if reason.startswith("no such person") else "identity_parents"
                facts = {"reason": reason}
                yield Check(code, facts, Category.IDENTITY, name, of=staged.read, failed=count)


def _several(d: Descriptor, settled: identity.Settled) -> Iterator[Check]:
    of, kind, name = settled.persons, Category.IDENTITY, d.person_table.name
    columns = {known.key: f.name for f in d.person_table.fields if (known := element(f.element))}
    yield Check("identity_several", {}, kind, name, of=of, failed=settled.several)
    yield Check("identity_aliases", {}, kind, name, of=of, failed=settled.aliases)
    for key, count in settled.disagree.items():
        yield Check("identity_disagree", {}, kind, name, columns[key], of=of, failed=count)
