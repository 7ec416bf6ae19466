"""Does the policy know what a column holds?

A column that the policy calls harmless and the profiler does not stops the intake: said with its table, its name and the
kind, never with a value. The steward then drops it, makes it a pseudonym, redacts it, or says in the signed text why it is
no identifier (`settled`). So does a column that a second person's name, number or trait stands in, or that names somebody
who works there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enclave.intake.discover.columns import Seen, passes
from enclave.intake.discover.headers import announced_by
from enclave.intake.discover.passing import LISTED, OPEN
from enclave.intake.field import RawField
from enclave.intake.report import Category, Check
from enclave.intake.resource import Resource

_FEW = 100
"""So many distinct values at most are a list of words, whatever the column is called."""


def verdicts(table: Resource, seen: Sequence[Seen]) -> Iterator[Check]:
    """What is to be said of each column, in order; `stops` where the policy does not know it."""
    by_name = {s.column: s for s in seen}
    for field in table.fields:
        found = by_name.get(field.name, Seen(field.name))
        if check := _of_values(table, field, found) or _of_name(table, field, found):
            yield check


def _open(field: RawField) -> bool:
    """Whether whole values pass, not only words of a list or parts of dates."""
    return any(output.treatment not in LISTED for output in field.outputs) and passes(field)


def _check(code: str, table: Resource, field: RawField, of: int, failed: int, stops: bool) -> Check:
    facts = {"treatment": ", ".join(output.treatment for output in field.yields)}
    if field.settled:
        facts["treatment"] += f"; {field.settled}"
    stops = stops and not field.settled
    return Check(code, facts, Category.IDENTIFIER, table.name, field.name, max(of, 1), max(failed, 1), (), stops)


def _of_values(table: Resource, field: RawField, seen: Seen) -> Check | None:
    """Free text that passes as it stands may not hold one certain identifier; other columns may not be made of them."""
    if any(output.treatment in OPEN for output in field.outputs) and (certain := seen.certain):
        return _check(f"holds_{certain[0]}", table, field, seen.values, certain[1], True)
    kind = seen.kind
    return _check(f"holds_{kind}", table, field, seen.values, seen.looks[kind], _open(field)) if kind else None


def _of_name(table: Resource, field: RawField, seen: Seen) -> Check | None:
    announced = announced_by(field.name)
    if announced.second:
        return _check("second_person", table, field, seen.values, seen.values, passes(field))
    if announced.staff:
        return _check("staff", table, field, seen.values, seen.values, passes(field))
    if announced.kind is None:
        return None
    return _check(
        f"named_{announced.kind}", table, field, seen.values, seen.values, _open(field) and seen.values > _FEW
    )
