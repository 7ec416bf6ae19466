"""What may a descriptor say of a raw column?

Its type, how it is written, what it means, and what becomes of it: one treatment in the field itself, or several under
`yields`.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from enclave.intake.treatments import Bound, Drop, Kept, Text

RawName = Annotated[str, StringConstraints(pattern=r"^[^\W\d_][^\"\x00-\x1f]{0,62}[^\"\x00-\x20]$|^[^\W\d_]$")]
"""A column as its source calls it, in any script: it begins with a letter and holds no quote."""
_STRINGS, _DATES, _NUMBERS = ("string",), ("date", "datetime"), ("integer", "decimal")
_STORED_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
Form = Annotated[str, StringConstraints(pattern=r"^[^'\x00-\x1f]{2,40}$")]
TAKES: dict[str, tuple[str, ...]] = {
    "pseudonym": ("string", "integer"), "shift": _DATES, "year": _DATES, "month": _DATES, "age": _DATES, "age_band": _DATES,
    "band": _NUMBERS, "clamp": _NUMBERS, "keep": _STRINGS, "prefix": _STRINGS, "form": _STRINGS, "icd10_chapter": _STRINGS,
    "flag": _STRINGS, "round": _NUMBERS, "redact": _STRINGS, "surrogate": _STRINGS,
}  # fmt: skip
"""Treatment → the raw types it takes."""


_OF_THE_RAW_COLUMN = (
    "name", "type", "format", "fold", "settled", "element", "system", "required", "may_be_empty", "plausible",
)  # fmt: skip


def _spread(field: Any) -> Any:
    """One treatment may stand in the field itself; several stand under `yields`."""
    if not isinstance(field, dict) or "yields" in field:
        return field
    own = {k: v for k, v in field.items() if k in _OF_THE_RAW_COLUMN}
    only = {k: v for k, v in field.items() if k not in _OF_THE_RAW_COLUMN}
    return {**own, "yields": [only]}


class RawField(Text):
    """One raw column and what becomes of it."""

    name: RawName
    type: Literal["string", "integer", "decimal", "date", "datetime"]
    format: tuple[Form, ...] = Field(default=(), max_length=4)
    """How dates are written (strptime), tried in this order; absent: 2024-01-31, with 08:00:00 for moments."""
    fold: bool = False
    """Read full-width letters and digits as the plain ones, and leave blanks around off."""
    settled: str = Field(default="", max_length=200)
    """Why this is no identifier of the person, though discovery takes it for one: the steward's word, signed."""
    element: Annotated[str, StringConstraints(pattern=r"^(DE\d{2}\.\d{2}\.\d{3}\.\d{2}|P\d{1,4}|[a-z][a-z_]*|)$")] = ""
    """The data element it holds: a WS/T 363 id, an HQMS code, or our own name (`intake/standards/elements.toml`)."""
    system: str = ""
    """The code system its values are held against; absent: that of the element, or the list it is kept by."""
    required: bool = False
    """Counted where it is missing (mapped columns always are)."""
    may_be_empty: bool = False
    """Whether a column without one value is no mistake."""
    plausible: tuple[Bound | date, Bound | date] | None = None
    """The least and the greatest value that is possible at all; beyond them it is counted, not clamped."""
    yields: tuple[Annotated[Kept | Drop, Field(discriminator="treatment")], ...] = Field(min_length=1)

    @property
    def outputs(self) -> tuple[Kept, ...]:
        """What is kept of it, each with its name."""
        named = (o for o in self.yields if not isinstance(o, Drop))
        return tuple(o if o.name else o.model_copy(update={"name": self.name}) for o in named)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(isinstance(o, Drop) for o in self.yields) and len(self.yields) > 1:
            raise ValueError("a column that is dropped yields nothing else")
        if self.format and self.type not in _DATES:
            raise ValueError("`format` is for dates")
        if any(not o.name and not _STORED_NAME.fullmatch(self.name) for o in self.yields if not isinstance(o, Drop)):
            raise ValueError("what is kept of this column needs a `name` of its own: small Latin letters, digits and _")
        for output in self.outputs:
            if self.type not in TAKES[output.treatment]:
                raise ValueError(f"treatment {output.treatment} takes {' or '.join(TAKES[output.treatment])}")
        return self


class Schema(Text):
    fields: tuple[Annotated[RawField, BeforeValidator(_spread)], ...] = Field(min_length=1)
