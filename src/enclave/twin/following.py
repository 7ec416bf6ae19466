"""Which of several columns made of one raw value is drawn, and what do the others say then?

An admission has a day, a year and a month; a code has a category and a chapter. The one that tells most leads; the others
are made from it as intake makes them from the raw value.
"""

from __future__ import annotations

from collections.abc import Sequence

from enclave.intake import deidentify, treatments
from enclave.intake.columns import Stored, literal
from enclave.intake.package import Descriptor
from enclave.intake.resource import Resource

_LEADS = {
    "year": ("shift",), "month": ("shift",), "band": ("clamp", "round"), "age_band": ("age",),
    "icd10_chapter": ("prefix", "keep"), "flag": ("prefix", "keep"),
}  # fmt: skip
"""Treatment → those of the same raw value that it follows."""


def leader(columns: Sequence[Stored], column: Stored) -> Stored | None:
    """The column that `column` follows; None when it is drawn itself."""
    leads = _LEADS.get(column.treatment, ())
    return next((c for c in columns if c.source == column.source and c.treatment in leads), None)


def followed(d: Descriptor, table: Resource, column: Stored, lead: Stored, value: str, drawn: str) -> str:
    """SQL of the follower, where `value` is the leader's (of a code, its place in the list); `drawn` stands where the leader
    does not say."""
    output = next(o for _, o in table.outputs() if o.name == column.name)
    match output:
        case treatments.Year():
            return f"greatest({column.lower}, least({column.upper}, year({value})))"
        case treatments.Month():
            return f"month({value})"
        case treatments.AgeBand():
            steps = zip(output.edges[1:], output.labels, strict=False)
            bands = "".join(f" WHEN {value} < {edge} THEN {literal(label)}" for edge, label in steps)
            return f"CASE{bands} ELSE {literal(output.labels[-1])} END"
        case treatments.Band():
            return deidentify.expression(output, f"({value} / {lead.scale}::DECIMAL(18,6))", column, d)
        case treatments.Flag():
            return f"{[code.startswith(output.prefixes) for code in lead.codes]}[{value}]"
        case _:
            said = ", ".join(literal(name) if (name := _chapter(code)) else "NULL" for code in lead.codes)
            return f"coalesce([{said}][{value}], {drawn})"


def _chapter(code: str) -> str:
    """The chapter of a category; "" for what is none."""
    fits = len(code) >= 3 and code[1:3].isdecimal()
    chapters = (name for name, first, last in treatments.ICD10_CHAPTERS if fits and first <= code[:3] <= last)
    return next(chapters, "")
