"""Which of the eighteen identifiers of HIPAA's Safe Harbor (45 CFR 164.514(b)(2)) does the policy keep?

Read from the descriptor alone: a raw column belongs to an item by its data element, by what its name announces and by its
type. A geography is fine by its first two digits (a province), a date by its year, an age when 90 and more are one value.
What the list counts as kept is no fault where the policy does not claim Safe Harbor; it says what the claim would need.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclave.intake import treatments as t
from enclave.intake.discover.headers import announced_by
from enclave.intake.field import RawField
from enclave.intake.kinds import Kind
from enclave.intake.package import Descriptor
from enclave.intake.report import Category, Check, Line, Section
from enclave.intake.standards import element

ITEMS = (
    "names", "places", "dates", "phones", "faxes", "emails", "social", "records", "plans", "accounts", "licences",
    "vehicles", "devices", "urls", "addresses", "biometrics", "faces", "codes",
)  # fmt: skip
"""In the order of the rule, 1 to 18."""

_BY_ELEMENT = {
    "name": "names", "contact": "names", "address": "places", "region": "places", "phone": "phones", "email": "emails",
    "resident_id": "social", "mrn": "records", "inpatient_no": "records", "insurance_no": "plans",
}  # fmt: skip
_BY_KIND = {
    Kind.NAME: "names", Kind.ADDRESS: "places", Kind.PHONE: "phones", Kind.LANDLINE: "phones", Kind.EMAIL: "emails",
    Kind.RESIDENT_ID: "social", Kind.OLD_RESIDENT_ID: "social", Kind.MRN: "records", Kind.INSURANCE_NO: "plans",
    Kind.BANK_CARD: "accounts", Kind.ACCOUNT: "accounts", Kind.PASSPORT: "licences", Kind.PERMIT: "licences",
    Kind.PLATE: "vehicles", Kind.DATE: "dates",
}  # fmt: skip
_EIGHTY_NINE, _PROVINCE = 89, 2


def safe_harbor(d: Descriptor) -> Section:
    """A check for each item: of how many raw columns it is about, and how many of them are kept beyond what it allows."""
    found: dict[str, list[tuple[str, str]]] = {item: [] for item in ITEMS}
    prose: list[str] = []
    for table in d.tables:
        for field in table.fields:
            item, place = _item(field), f"{table.name}.{field.name}"
            if item:
                kept = [o for o in field.outputs if not _allowed(item, o)]
                found[item].append((place, ", ".join(f"{o.name}: {o.treatment}" for o in kept)))
            if any(isinstance(o, t.Pseudonym) for o in field.outputs):
                found["codes"].append((place, "pseudonym"))
            prose += [place for o in field.outputs if isinstance(o, t.PROSE)]
    return Section("safe_harbor", tuple(_lines(prose)), tuple(_check(item, found[item]) for item in ITEMS))


def _lines(prose: list[str]) -> Iterator[Line]:
    yield Line("harbor_reading")
    if prose:
        yield Line("harbor_prose", {"columns": ", ".join(prose)})


def _check(item: str, columns: list[tuple[str, str]]) -> Check:
    kept = [f"{place} ({how})" for place, how in columns if how]
    facts = {"columns": "; ".join(kept) or "–"}
    return Check(f"harbor_{item}", facts, Category.RISK, of=len(columns), failed=len(kept))


def _item(field: RawField) -> str:
    known = element(field.element)
    if known is not None and known.key in _BY_ELEMENT:
        return _BY_ELEMENT[known.key]
    kind = announced_by(field.name).kind
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    return "dates" if field.type in ("date", "datetime") or (known is not None and known.key == "age") else ""


def _allowed(item: str, output: t.Kept) -> bool:
    """Whether what is kept is no longer what the item is about. Pseudonyms are codes, and stand there."""
    match output:
        case t.Pseudonym() | t.Redact() | t.Surrogate():
            return True
        case t.Prefix():
            return item == "places" and output.length <= _PROVINCE
        case t.Year():
            return item == "dates"
        case t.Age() | t.Clamp():
            return item == "dates" and output.upper <= _EIGHTY_NINE + 1
        case t.AgeBand():
            return item == "dates" and output.edges[-1] <= _EIGHTY_NINE + 1
        case _:
            return False
