"""Does the descriptor treat everything as its grade and its presets demand?

`presets` of a descriptor name the rules it is held against: `cn-39725` (GB/T 39725), `hipaa-safe-harbor` and
`hipaa-limited` (45 CFR 164.514). Content of level 5 is held back whatever the presets. All of it is a function of the
signed text and of public lists; nobody signs, and no intake takes, what breaks it.
"""

from enclave.intake.graded.demands import check, violations
from enclave.intake.graded.violation import Violation

__all__ = ["Violation", "check", "violations"]
