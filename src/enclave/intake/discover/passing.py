"""What of a raw value passes through a treatment?"""

from __future__ import annotations

from enclave.intake.treatments import Clamp, Kept, Round

GONE = ("drop", "pseudonym", "redact", "surrogate")
"""Nothing of an identifier."""
LISTED = ("prefix", "flag", "icd10_chapter", "band", "month", "year", "age", "age_band", "shift")
"""A word of a public list, or a part of a date."""
OPEN = ("form",)
"""The value as it stands, whatever it is."""


def reach_of(output: Kept) -> int:
    """The largest number that passes through; 0 for what keeps no number."""
    return int(output.upper) if isinstance(output, Clamp | Round) else 0
