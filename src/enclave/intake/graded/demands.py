"""What does each preset demand, and what of it does a descriptor break?

`cn-39725`            GB/T 39725: records of persons are level 2 or more; what names somebody is level 4 and stays out of
                      research; openness is stated with its basis, and what anybody may have is of level 2 at most
`hipaa-safe-harbor`   45 CFR 164.514(b)(2): of dates the year, ages to ninety, places no finer than a province or the first
                      three digits of a postcode, no free text, nothing that names somebody
`hipaa-limited`       45 CFR 164.514(e): dates, towns and postcodes may stay under an agreement; what names somebody not

A column announces itself by its name (`discover.headers`); `settled` at a column is the steward's signed word that it is
no identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from enclave.errors import Refused
from enclave.intake import treatments as t
from enclave.intake.discover.headers import announced_by
from enclave.intake.discover.passing import GONE, LISTED
from enclave.intake.draft.known import known_by
from enclave.intake.field import RawField
from enclave.intake.graded import special
from enclave.intake.graded.violation import Violation
from enclave.intake.kinds import Kind
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource

CATEGORIES = (
    "personal attribute data", "health status data", "medical application data", "medical payment data",
    "health resource data", "public health data",
    "个人属性数据", "健康状况数据", "医疗应用数据", "医疗支付数据", "卫生资源数据", "公共卫生数据",
)  # fmt: skip
"""The six categories of GB/T 39725, in either language."""

OLDEST = 90
"""Ages from here on are one (164.514(b)(2)(i)(C))."""
_PLACE = {"region": 2}
_POSTCODE = 3
_BIRTH_YEAR = ("yearofbirth", "birthyear", "出生年", "出生年份")

Demand = Callable[[Descriptor], Iterator[Violation]]


def violations(d: Descriptor) -> tuple[Violation, ...]:
    """Everything the descriptor does that its presets, or level 5, do not allow; in order."""
    return (*special.violations(d), *(found for preset in d.presets for found in DEMANDS[preset](d)))


def check(d: Descriptor) -> None:
    """Refused, naming every column, when there is any."""
    if found := violations(d):
        named = ", ".join(f"{v.place} ({v.rule}: {v.code})" for v in found)
        raise Refused("policy.preset_violated", place=found[0].place, count=len(found), named=named)


def _kept(d: Descriptor) -> Iterator[tuple[Resource, RawField, t.Kept]]:
    for table in d.tables:
        for field, output in table.outputs():
            yield table, field, output


def _direct(d: Descriptor, rule: str, passes: tuple[str, ...], spared: tuple[Kind, ...] = ()) -> Iterator[Violation]:
    """Columns that name somebody and are kept by a treatment that is not in `passes`."""
    for table, field, output in _kept(d):
        kind = announced_by(field.name).kind
        if kind is None or kind in spared or field.settled or output.treatment in passes:
            continue
        yield Violation("direct", rule, table.name, field.name, {"treatment": output.treatment})


def _cn(d: Descriptor) -> Iterator[Violation]:
    rule = "cn-39725"
    if d.domain not in CATEGORIES:
        yield Violation("domain", rule, facts={"known": ", ".join(CATEGORIES)})
    if d.grade in (1, 4):
        yield Violation(f"grade_{d.grade}", rule)
    if d.openness is None:
        yield Violation("openness", rule)
    elif d.openness.level == "unconditional" and d.grade > 2:
        yield Violation("openness_of_grade", rule, facts={"grade": d.grade})
    yield from _direct(d, rule, (*GONE, *LISTED))
    if d.grade == 2:
        yield from _finer_than_level_2(d, rule)


def _finer_than_level_2(d: Descriptor, rule: str) -> Iterator[Violation]:
    """Level 2 cannot identify anybody: no free text, no true dates."""
    for table, field, output in _kept(d):
        if isinstance(output, t.PROSE):
            yield Violation("free_text_of_grade", rule, table.name, field.name)
        if isinstance(output, t.Shift) and not d.shift_days:
            yield Violation("true_date", rule, table.name, field.name)


def _safe_harbor(d: Descriptor) -> Iterator[Violation]:
    rule = "hipaa-safe-harbor"
    yield from _direct(d, rule, GONE, (Kind.ADDRESS,))
    for table, field, output in _kept(d):
        if isinstance(output, t.Shift | t.Month):
            yield Violation("day", rule, table.name, field.name, {"treatment": output.treatment})
        if isinstance(output, t.PROSE):
            yield Violation("free_text", rule, table.name, field.name)
        if _tells_of_the_oldest(d, field, output):
            yield Violation("oldest", rule, table.name, field.name, {"oldest": OLDEST})
        if _finer_than_province(field, output):
            yield Violation("place", rule, table.name, field.name, {"treatment": output.treatment})


def _tells_of_the_oldest(d: Descriptor, field: RawField, output: t.Kept) -> bool:
    """Whether ages above ninety, or years that tell of them, are told apart."""
    known = known_by(field.name)
    born, first = known is not None and known.name == "birth_date", d.reference_date.year - OLDEST
    whole = "".join(part for part in field.name.lower() if part.isalnum())
    match output:
        case t.Age():
            return output.upper > OLDEST
        case t.AgeBand():
            return output.edges[-1] > OLDEST
        case t.Year():
            return born and output.lower < first
        case t.Clamp() | t.Round() if known is not None and known.name == "age":
            return output.upper > OLDEST
        case t.Clamp() | t.Round() if whole in _BIRTH_YEAR:
            return output.lower < first
        case _:
            return False


def _finer_than_province(field: RawField, output: t.Kept) -> bool:
    known = known_by(field.name)
    digits = _PLACE.get(known.name, 0) if known else 0
    if announced_by(field.name).kind is Kind.ADDRESS:
        digits = _POSTCODE
    if not digits or output.treatment in GONE or field.settled:
        return False
    return not (isinstance(output, t.Prefix) and output.length <= digits)


def _limited(d: Descriptor) -> Iterator[Violation]:
    rule = "hipaa-limited"
    if d.openness is None or d.openness.level == "unconditional":
        yield Violation("agreement", rule)
    yield from _direct(d, rule, GONE, (Kind.ADDRESS,))
    for table, field, output in _kept(d):
        street = announced_by(field.name).kind is Kind.ADDRESS and not field.settled
        if street and output.treatment not in (*GONE, "prefix", "keep"):
            yield Violation("street", rule, table.name, field.name, {"treatment": output.treatment})


DEMANDS: dict[str, Demand] = {"cn-39725": _cn, "hipaa-safe-harbor": _safe_harbor, "hipaa-limited": _limited}
